/* ---- views for people ---- */

/* The last check of the champion, and over the sessions of its window also the naive forecast. */
CREATE VIEW arima_ops.monitoring AS
SELECT s.name AS series, s.active, m.version AS champion, m.spec, m.promoted_at, age.sessions AS age, last_actual.ts AS last_session,
	pending.predictions AS pending, d.ts AS checked_to, d.labels, d.rolling_rmse, d.threshold, 1 - d.rolling_rmse / nullif(naive.rmse, 0) AS skill,
	d.coverage, coalesce(d.drift, false) AS drift, coalesce(greatest(d.bias_above, d.bias_below) >= d.bias_limit, false) AS biased,
	coalesce(arima_ops.missing_days(s.calendar, last_actual.ts) > s.stale_after, false) AS stale
FROM arima_ops.series AS s
	LEFT JOIN arima_ops.models AS m ON m.series = s.name AND m.status = 'champion'
	LEFT JOIN LATERAL (SELECT a.ts FROM arima_ops.actuals AS a WHERE a.series = s.name ORDER BY a.ts DESC LIMIT 1) AS last_actual ON true
	LEFT JOIN LATERAL (SELECT pg_catalog.count(*) AS sessions FROM arima_ops.actuals AS a
		WHERE a.series = s.name AND a.ts > m.champion_from) AS age ON m.version IS NOT NULL
	LEFT JOIN LATERAL (SELECT pg_catalog.count(*) AS predictions FROM arima_ops.predictions AS p
		WHERE p.series = s.name AND p.target_ts IS NULL) AS pending ON true
	LEFT JOIN LATERAL (SELECT c.* FROM arima_ops.drift_checks AS c
		WHERE c.series = s.name AND c.version = m.version AND c.ts > m.champion_from ORDER BY c.ts DESC LIMIT 1) AS d ON true
	LEFT JOIN LATERAL (SELECT pg_catalog.array_agg(c.ts) AS sessions, pg_catalog.min(c.ts) AS first
		FROM (SELECT l.ts FROM arima_ops.drift_checks AS l WHERE l.series = s.name AND l.ts <= d.ts
			ORDER BY l.ts DESC LIMIT least(d.labels, s.drift_window)) AS c) AS w ON d.labels > 0
	LEFT JOIN LATERAL (SELECT @extschema@.rolling_rmse(a.before, a.value) AS rmse
		FROM (SELECT v.ts, v.value, pg_catalog.lag(v.value) OVER (ORDER BY v.ts) AS before FROM arima_ops.actuals AS v
			WHERE v.series = s.name AND v.ts <= d.ts
				AND v.ts >= coalesce((SELECT b.ts FROM arima_ops.actuals AS b WHERE b.series = s.name AND b.ts < w.first ORDER BY b.ts DESC LIMIT 1), w.first)) AS a
		WHERE a.ts = ANY (w.sessions)) AS naive ON d.labels > 0;
COMMENT ON VIEW arima_ops.monitoring IS
'One row a series: its champion and how it does since its promotion, by the last check for drift';
COMMENT ON COLUMN arima_ops.monitoring.age IS 'sessions since the champion''s promotion';
COMMENT ON COLUMN arima_ops.monitoring.pending IS 'predictions whose session has not come yet';
COMMENT ON COLUMN arima_ops.monitoring.checked_to IS 'session of the last check for drift';
COMMENT ON COLUMN arima_ops.monitoring.labels IS 'labelled sessions of the champion';
COMMENT ON COLUMN arima_ops.monitoring.rolling_rmse IS 'over the last drift_window labelled sessions';
COMMENT ON COLUMN arima_ops.monitoring.threshold IS 'of the rolling RMSE';
COMMENT ON COLUMN arima_ops.monitoring.skill IS '1 - rolling RMSE / that of the naive forecast, the value of the session before, for the same sessions: above 0 the champion is better';
COMMENT ON COLUMN arima_ops.monitoring.coverage IS 'share of intervals that held the value, in the same sessions';
COMMENT ON COLUMN arima_ops.monitoring.drift IS 'by the drift policy of the series';
COMMENT ON COLUMN arima_ops.monitoring.biased IS 'forecasts too high or too low on average, by the Page-Hinkley test';
COMMENT ON COLUMN arima_ops.monitoring.stale IS 'no value for more than stale_after days of the calendar';

CREATE VIEW arima_ops.leaderboard AS
SELECT m.series, pg_catalog.rank() OVER (PARTITION BY m.series ORDER BY e.mase, e.rmse) AS place, m.version, m.status, m.spec,
	e.rmse, e.mae, e.mape, e.smape, e.mase, e.naive_rmse, 1 - e.rmse / nullif(e.naive_rmse, 0) AS skill, e.n_folds, e.first_fold, e.last_fold, m.trained_to, m.created_at
FROM arima_ops.models AS m
	LEFT JOIN LATERAL (SELECT v.* FROM arima_ops.evaluations AS v
		WHERE v.series = m.series AND v.version = m.version ORDER BY v.id DESC LIMIT 1) AS e ON true;
COMMENT ON VIEW arima_ops.leaderboard IS
'The versions of each series by the MASE of their last walk-forward evaluation. Versions trained at different times were evaluated on different sessions, first_fold to last_fold: a version''s gate against the champion of its time, on the same sessions, is in arima_ops.evaluations';
COMMENT ON COLUMN arima_ops.leaderboard.skill IS '1 - RMSE / RMSE of the naive forecast for the same sessions';

CREATE VIEW arima_ops.timeline AS
SELECT e.at, e.series, e.kind, CASE e.kind
		WHEN 'training' THEN pg_catalog.format('version %s trained: %s', e.version, e.message)
		WHEN 'promotion' THEN pg_catalog.format('version %s became champion: %s', e.version, e.message)
		WHEN 'rejection' THEN pg_catalog.format('version %s rejected: %s', e.version, e.message)
		WHEN 'rollback' THEN pg_catalog.format('back to version %s: %s', e.version, e.message)
		WHEN 'drift' THEN pg_catalog.format('version %s drifts: %s', e.version, e.message)
		WHEN 'recovery' THEN pg_catalog.format('version %s has recovered: %s', e.version, e.message)
		WHEN 'retrain_failed' THEN 'retraining failed: ' || e.message
		WHEN 'fetch_failed' THEN 'fetching values failed: ' || e.message
		WHEN 'monitoring_failed' THEN 'monitoring failed: ' || e.message
		ELSE e.message END AS what, e.id
FROM arima_ops.events AS e;
COMMENT ON VIEW arima_ops.timeline IS 'What happened, in words; in the order of id. The numbers are in arima_ops.events';
