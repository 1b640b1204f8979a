-- A year in the life of a model: 250 sessions of the DAX, replayed day by day.
-- Run by scripts/demo after demo.sql; a notice "day N of M" tells how far it is.
\set ON_ERROR_STOP on
\set QUIET on

-- What really happens: the closes as they were up to session 1720; after that, planted,
-- another regime: moves twice as large, of which a part goes on the next day.
CREATE TABLE tape AS
WITH RECURSIVE moves AS (
	SELECT session, close, close - lag(close) OVER (ORDER BY session) AS move FROM prices WHERE series = 'DAX'
), walk AS (
	SELECT session, close, move FROM moves WHERE session = 1720
	UNION ALL
	SELECT m.session, w.close + n.move, n.move
	FROM walk AS w JOIN moves AS m ON m.session = w.session + 1 CROSS JOIN LATERAL (SELECT 1.8 * m.move + 0.55 * w.move AS move) AS n
)
SELECT session, timestamptz '1997-01-01 00:00+00' + (((session - 1591) / 5) * 7 + (session - 1591) % 5) * interval '24 hours' AS day, close
FROM (SELECT session, close FROM moves WHERE session <= 1720 UNION ALL SELECT session, close FROM walk WHERE session > 1720) AS told
WHERE session <= 1850;

-- The champion to begin with is the random walk; what is trained later may also use the last move.
SELECT arima_ops.create_series('DAX', '(1,1,0)', options => '{"lambda": 0}', calendar => 'none',
	policy => '{"backtest_length": 100, "train_window": 250}') \g /dev/null
INSERT INTO arima_ops.actuals (series, ts, value, source) SELECT 'DAX', day, close, 'tape' FROM tape WHERE session <= 1600;
SELECT arima_ops.train('DAX', '(0,1,0)') \g /dev/null

-- One session: clients ask, each with the last 30 closes that it knows; of the values some
-- arrive, up to three sessions late; in the evening the jobs run.
CREATE PROCEDURE live(first int, last int) LANGUAGE plpgsql AS $$
BEGIN
	FOR today IN first .. last LOOP
		PERFORM arima_ops.predict('DAX', (SELECT array_agg(close ORDER BY session) FROM tape WHERE session BETWEEN today - 29 AND today),
			request_id => format('day %s, client %s', today, client))
		FROM generate_series(1, 1 + today % 3) AS client;
		PERFORM arima_ops.record_actuals('DAX', array_agg(day), array_agg(close), 'tape')
		FROM tape WHERE session <= today AND session > today - 4 AND (session + session % 4 <= today OR today = last);
		CALL arima_ops.run_etl();
		CALL arima_ops.run_monitoring();
		CALL arima_ops.run_retraining();
		COMMIT;
		RAISE NOTICE 'day % of %', today - first + 1, last - first + 1;
	END LOOP;
END $$;
\set QUIET off
SET client_min_messages = notice;
CALL live(1601, 1850);
