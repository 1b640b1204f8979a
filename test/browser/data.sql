-- What the page shows in its tests, beside the year of the DAX that scripts/demo-year.sql
-- replays: a series in each other state.
CREATE EXTENSION arima_ops;
CREATE TABLE prices (series text, session int, close float8 NOT NULL, PRIMARY KEY (series, session));
\copy prices FROM pstdin WITH (FORMAT csv, HEADER)

CREATE FUNCTION start_series(name text, market text, calendar text DEFAULT 'none') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM arima_ops.create_series(name, '(0,1,1)', calendar => calendar, policy => '{"backtest_length": 60}');
	INSERT INTO arima_ops.actuals (series, ts, value) SELECT name, timestamptz '1996-01-01 00:00Z' + session * interval '1 day', close
	FROM prices WHERE series = market AND session <= 400;
	PERFORM arima_ops.train(name);
END $$;
-- sessions of it as they go, moves times a factor: asked, told, checked
CREATE PROCEDURE live_on(name text, sessions int, factor float8 DEFAULT 1) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. sessions LOOP
		PERFORM arima_ops.predict(name);
		INSERT INTO arima_ops.actuals (series, ts, value)
		SELECT name, ts + interval '1 day', value * (1 + factor * 0.008 * sin(1.7 * i + 0.3 * i * i)) FROM arima_ops.actuals WHERE series = name ORDER BY ts DESC LIMIT 1;
		PERFORM arima_ops.score_predictions(name);
		PERFORM arima_ops.detect_drift(name);
	END LOOP;
END $$;

SELECT start_series('CAC', 'CAC'), start_series('FTSE', 'FTSE'), start_series('SMI 2/3 "ä" <b>', 'SMI'), start_series('late one', 'SMI', 'weekdays'), start_series('young', 'CAC');
CALL live_on('CAC', 40);
CALL live_on('FTSE', 25);
CALL live_on('SMI 2/3 "ä" <b>', 20);
CALL live_on('late one', 20);
CALL live_on('young', 3);
-- a split, after which its errors are in other prices than its training was; a series that is gone
SELECT arima_ops.restate('young', 0.25, max(ts)) FROM arima_ops.actuals WHERE series = 'young';
SELECT arima_ops.detect_drift('young');
SELECT arima_ops.create_series('gone'), arima_ops.drop_series('gone');
SELECT arima_ops.create_series('without model', 'auto[12]'), arima_ops.create_series('resting', '(0,1,1)');
UPDATE arima_ops.series SET active = false WHERE name = 'resting';
