-- The other indices beside the DAX for the page: each has a champion, and forty sessions of
-- predictions with their labels.  Run by scripts/demo after demo-year.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE TEMP VIEW calendar AS
SELECT session, timestamptz '1997-01-01 00:00+00' + (((session - 1591) / 5) * 7 + (session - 1591) % 5) * interval '24 hours' AS day
FROM generate_series(1, 1860) AS session;

SELECT arima_ops.create_series(name, '(0,1,1) with drift', options => '{"lambda": 0}', calendar => 'none', policy => '{"backtest_length": 100, "train_window": 500}')
FROM unnest(ARRAY['CAC', 'FTSE', 'SMI']) AS name;
INSERT INTO arima_ops.actuals (series, ts, value, source)
SELECT p.series, c.day, p.close, 'demo' FROM prices AS p JOIN calendar AS c USING (session) WHERE p.series <> 'DAX' AND p.session BETWEEN 1201 AND 1810;
SELECT arima_ops.train(name) FROM unnest(ARRAY['CAC', 'FTSE', 'SMI']) AS name;
-- who names no series means the DAX
UPDATE arima_ops.series SET is_default = true WHERE name = 'DAX';

CREATE PROCEDURE live_on(first int, last int) LANGUAGE plpgsql AS $$
BEGIN
	FOR today IN first .. last LOOP
		PERFORM arima_ops.predict(s.name, (SELECT array_agg(p.close ORDER BY p.session) FROM prices AS p WHERE p.series = s.name AND p.session BETWEEN today - 30 AND today - 1))
		FROM arima_ops.series AS s WHERE s.name <> 'DAX';
		PERFORM arima_ops.record_actuals(p.series, array_agg(c.day), array_agg(p.close), 'demo')
		FROM prices AS p JOIN calendar AS c USING (session) WHERE p.session = today AND p.series <> 'DAX' GROUP BY p.series;
		CALL arima_ops.run_etl();
		CALL arima_ops.run_monitoring();
		COMMIT;
	END LOOP;
END $$;
CALL live_on(1811, 1850);
DROP PROCEDURE live_on;
