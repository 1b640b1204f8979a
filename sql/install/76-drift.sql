/* ---- drift: is the champion still as good as it was at training? ---- */

/*
 * One row for each labelled session of a champion: what its one-step predictions
 * for that session were worth, and what follows from the sessions up to there.
 * A row also holds all that the next one needs beside the window's errors.
 */
CREATE TABLE arima_ops.drift_checks (
	series text NOT NULL REFERENCES arima_ops.series,
	ts timestamptz NOT NULL,
	version int NOT NULL,
	predictions int NOT NULL CHECK (predictions > 0),
	session_rmse float8 NOT NULL,
	session_error float8 NOT NULL,
	inside float8 CHECK (inside BETWEEN 0 AND 1),
	labels int NOT NULL CHECK (labels > 0),
	rolling_rmse float8 NOT NULL,
	reference_rmse float8,
	threshold float8,
	policy text NOT NULL,
	breach boolean NOT NULL,
	consecutive int NOT NULL CHECK (consecutive >= 0),
	drift boolean NOT NULL,
	cusum float8 NOT NULL CHECK (cusum >= 0),
	cusum_limit float8,
	bias_above float8 NOT NULL CHECK (bias_above >= 0),
	bias_below float8 NOT NULL CHECK (bias_below >= 0),
	bias_limit float8,
	coverage float8 CHECK (coverage BETWEEN 0 AND 1),
	checked_at timestamptz DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (series, ts),
	FOREIGN KEY (series, version) REFERENCES arima_ops.models);

-- what later labels made out of date: usually nothing
CREATE INDEX drift_checks_outdated ON arima_ops.drift_checks (series, ts) WHERE checked_at IS NULL;

COMMENT ON TABLE arima_ops.drift_checks IS
'One row for each series and labelled session: how the champion of that time did. Errors are those of its own one-step predictions since its promotion, in the prices of today; many predictions for a session count as one';
COMMENT ON COLUMN arima_ops.drift_checks.version IS 'the champion';
COMMENT ON COLUMN arima_ops.drift_checks.predictions IS 'its one-step predictions for this session';
COMMENT ON COLUMN arima_ops.drift_checks.session_rmse IS 'root of the mean of their squared errors';
COMMENT ON COLUMN arima_ops.drift_checks.session_error IS 'mean of their errors: actual - forecast';
COMMENT ON COLUMN arima_ops.drift_checks.inside IS 'share of their intervals that held the value; NULL: none had an interval';
COMMENT ON COLUMN arima_ops.drift_checks.labels IS 'labelled sessions of this champion so far';
COMMENT ON COLUMN arima_ops.drift_checks.rolling_rmse IS 'over the last drift_window sessions, or all if there are fewer';
COMMENT ON COLUMN arima_ops.drift_checks.reference_rmse IS 'of the champion at training; NULL: not known, so that nothing can be a breach';
COMMENT ON COLUMN arima_ops.drift_checks.threshold IS 'of the rolling RMSE: reference_rmse times drift_multiplier';
COMMENT ON COLUMN arima_ops.drift_checks.policy IS 'the policy in force: rolling_rmse, cusum or none';
COMMENT ON COLUMN arima_ops.drift_checks.breach IS 'by the policy in force: the rolling RMSE is above the threshold, or the sum has reached its limit';
COMMENT ON COLUMN arima_ops.drift_checks.consecutive IS 'sessions in a row with a breach, this one included';
COMMENT ON COLUMN arima_ops.drift_checks.drift IS 'is there drift?  From drift_consecutive breaches in a row (cusum: from one) until the rolling RMSE is below drift_recovery times the reference';
COMMENT ON COLUMN arima_ops.drift_checks.cusum IS 'sum of log-likelihood ratios of errors of twice the reference RMSE against errors of the reference RMSE, not below 0';
COMMENT ON COLUMN arima_ops.drift_checks.cusum_limit IS 'limit of cusum that drift_false_alarms gives';
COMMENT ON COLUMN arima_ops.drift_checks.bias_above IS 'Page-Hinkley statistic for values above their forecasts, in units of the reference RMSE';
COMMENT ON COLUMN arima_ops.drift_checks.bias_below IS '.. for values below their forecasts';
COMMENT ON COLUMN arima_ops.drift_checks.bias_limit IS 'limit of both that drift_false_alarms gives; beyond it the forecasts are biased. Reported only';
COMMENT ON COLUMN arima_ops.drift_checks.coverage IS 'mean of inside over the sessions of the rolling RMSE';
COMMENT ON COLUMN arima_ops.drift_checks.checked_at IS 'NULL: labels from here on have changed since, and the next check does these sessions again';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.drift_checks', '');

/* Of the present champion: what was found before its promotion says nothing of it. */
CREATE FUNCTION arima_ops.in_drift(series text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((SELECT d.drift FROM arima_ops.models AS m
			JOIN arima_ops.drift_checks AS d ON d.series = m.series AND d.version = m.version AND d.ts > m.champion_from
		WHERE m.series = in_drift.series AND m.status = 'champion' ORDER BY d.ts DESC LIMIT 1), false)
$$;
COMMENT ON FUNCTION arima_ops.in_drift(text) IS
'Did the last check by arima_ops.detect_drift find the champion of a series in drift?';
