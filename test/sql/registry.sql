--
-- registry: training, evaluation, promotion, rollback
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- an autoregression around 50, and its sum
CREATE TEMP TABLE truth AS
WITH RECURSIVE ar AS (
	SELECT 0 AS i, 0::float8 AS x
	UNION ALL
	SELECT i + 1, 0.7 * x + hashint4(i) / 2147483648.0::float8 FROM ar WHERE i < 500)
SELECT i, timestamptz '2023-01-01' + i * interval '1 day' AS ts, 50 + x AS value, 200 + sum(x) OVER (ORDER BY i) AS total FROM ar WHERE i > 0;
CREATE FUNCTION pg_temp.record(series text, from_i int, to_i int) RETURNS bigint LANGUAGE sql AS $$
	SELECT inserted FROM arima_ops.record_actuals(series, (SELECT array_agg(ts ORDER BY i) FROM truth WHERE i BETWEEN from_i AND to_i),
		(SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN from_i AND to_i))
$$;
CREATE FUNCTION pg_temp.close(a float8[], b float8[]) RETURNS boolean LANGUAGE sql AS $$
	SELECT cardinality(a) = cardinality(b) AND bool_and(abs(x - y) <= 1e-9 * (1 + abs(y))) FROM unnest(a, b) AS u (x, y)
$$;

-- what is missing is said
SELECT arima_ops.train('reg_none');
SELECT arima_ops.create_series('reg_a', '(1,0,0)', policy => '{"backtest_length": 60, "backtest_refit_every": 5}');
SELECT arima_ops.train('reg_a');
SELECT arima_ops.rollback('reg_a');
SELECT arima_ops.promote('reg_a', 1);

-- the first model is the champion; what it is, is what arima_fit and arima_backtest give
SELECT pg_temp.record('reg_a', 1, 300);
SELECT arima_ops.train('reg_a');
SELECT version, status, spec, trained_from, trained_to, n, champion_from, former, promoted_by,
	data_hash = arima_ops.history_hash(series, trained_from, trained_to) AS hash,
	model::text = (SELECT arima_fit(array_agg(value ORDER BY i), '(1,0,0)')::text FROM truth WHERE i <= 300) AS same_model
FROM arima_ops.models WHERE series = 'reg_a';
SELECT kind, horizon, n_folds, first_fold, last_fold, (SELECT bool_and(ts = s) FROM unnest(sessions) WITH ORDINALITY AS u (s, k) JOIN truth ON i = 240 + k) AS sessions,
	actuals = (SELECT array_agg(value ORDER BY i) FROM truth WHERE i BETWEEN 241 AND 300) AS actuals,
	pg_temp.close(forecasts, f) AS forecasts,
	pg_temp.close(ARRAY[e.mae, e.rmse, e.mape, e.smape, e.mase, e.theil_u, naive_rmse], ARRAY[a.mae, a.rmse, a.mape, a.smape, a.mase, a.theil_u, naive]) AS metrics,
	reference_rmse = e.rmse AS reference, champion_version, decision
FROM arima_ops.evaluations AS e JOIN arima_ops.models USING (series, version),
	(SELECT array_agg(forecast ORDER BY origin) AS f FROM (SELECT array_agg(value ORDER BY i) AS y FROM truth WHERE i <= 300) AS h, arima_backtest(y, '(1,0,0)', 240, refit_every => 5)) AS b,
	(SELECT (arima_accuracy(forecast, actual, (SELECT value FROM truth WHERE i = origin), (SELECT arima_naive_scale(array_agg(value ORDER BY i)) FROM truth WHERE i <= 240))).*,
		rolling_rmse((SELECT value FROM truth WHERE i = origin), actual) AS naive
	 FROM (SELECT array_agg(value ORDER BY i) AS y FROM truth WHERE i <= 300) AS h, arima_backtest(y, '(1,0,0)', 240, refit_every => 5)) AS a
WHERE series = 'reg_a';
SELECT kind, version, message, details - 'mae' - 'mape' - 'rmse' AS details, (details ->> 'rmse')::float8 = reference_rmse AS rmse
FROM arima_ops.events JOIN arima_ops.models USING (series, version) WHERE series = 'reg_a' ORDER BY id;

-- later ones are candidates; orders that are chosen are chosen before the folds, then kept
SELECT arima_ops.train('reg_a', '(0,1,1)');
SELECT arima_ops.train('reg_a', 'auto');
SELECT version, status, m.spec,
	m.spec = (SELECT (arima_stats(arima_fit(array_agg(value ORDER BY i), 'auto'))).spec FROM truth WHERE i <= 240) AS chosen_before,
	model::text = (SELECT arima_fit(array_agg(value ORDER BY i), m.spec)::text FROM truth WHERE i <= 300) AS estimated_on_all,
	pg_temp.close(forecasts, (SELECT array_agg(forecast ORDER BY origin) FROM (SELECT array_agg(value ORDER BY i) AS y FROM truth WHERE i <= 300) AS h,
		arima_backtest(y, m.spec, 240, refit_every => 5))) AS walk
FROM arima_ops.models AS m JOIN arima_ops.evaluations USING (series, version) WHERE series = 'reg_a' AND version > 1 ORDER BY version;
-- options other than the bounds of a choice are for orders that are given, too
SELECT arima_ops.create_series('reg_options', '(0,1,1)', options => '{"lambda": 0, "bias_adjust": true, "interval": "conformal"}');
INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'reg_options', ts, 1000 + value FROM truth WHERE i <= 100;
SELECT arima_ops.train('reg_options'), arima_ops.train('reg_options', '(1,1,0)');
SELECT version, s.spec, s.lambda, s.bias_adjust, s.intervals FROM arima_ops.models, arima_stats(model) AS s WHERE series = 'reg_options' ORDER BY version;
SELECT arima_ops.train('reg_a', '(1,0');
SELECT arima_ops.train('reg_a', '(1,1,1)(1,1,1)[300]');
SELECT max(version) FROM arima_ops.models WHERE series = 'reg_a';

-- promotion by hand, and the way back, one step a call
SELECT arima_ops.promote('reg_a', 2) AS former, version, arima_ops.promote('reg_a', 3, 'looks better') AS former_2
FROM arima_ops.predict('reg_a');
SELECT version, status, former, promoted_by, retired_at IS NOT NULL AS retired FROM arima_ops.models WHERE series = 'reg_a' ORDER BY version;
SELECT version FROM arima_ops.predict('reg_a');
SELECT arima_ops.promote('reg_a', 3);
SELECT arima_ops.promote('reg_a', 9);
SELECT arima_ops.rollback('reg_a'), arima_ops.rollback('reg_a', 'as well');
SELECT version, status, former, promoted_by, retired_at IS NOT NULL AS retired FROM arima_ops.models WHERE series = 'reg_a' ORDER BY version;
SELECT version FROM arima_ops.predict('reg_a');
SELECT arima_ops.rollback('reg_a');
-- an old champion comes back by hand: from it the way leads back once, not round and round
SELECT arima_ops.promote('reg_a', 2), arima_ops.promote('reg_a', 1);
SELECT arima_ops.rollback('reg_a'), arima_ops.rollback('reg_a');
SELECT arima_ops.rollback('reg_a');
SELECT kind, version, message, details ->> 'former' AS former FROM arima_ops.events WHERE series = 'reg_a' AND kind IN ('promotion', 'rollback') ORDER BY id;

-- few values: fewer folds, or none, and that is said; a window of training
SELECT n, arima_ops.count_folds(n, 60, NULL) AS folds, arima_ops.count_folds(n, 10, NULL) AS of_10, arima_ops.count_folds(n, 60, 25) AS "window"
FROM unnest(ARRAY[1, 10, 20, 38, 39, 40, 41, 60, 85, 119, 120, 200]) AS n;
SELECT arima_ops.create_series('reg_b', 'auto', policy => '{"backtest_length": 60}');
SELECT pg_temp.record('reg_b', 1, 30);
SELECT arima_ops.train('reg_b');
SELECT status, n, reference_rmse, details -> 'no_evaluation' AS said FROM arima_ops.models JOIN arima_ops.events USING (series, version) WHERE series = 'reg_b';
SELECT pg_temp.record('reg_b', 31, 80);
SELECT arima_ops.set_policy('reg_b', '{"train_window": 30}'), arima_ops.train('reg_b', '(1,0,0)');
SELECT version, n, trained_from, trained_to, data_hash = arima_ops.history_hash(series, trained_from, trained_to) AS hash, n_folds, first_fold,
	model::text = (SELECT arima_fit(array_agg(value ORDER BY i), '(1,0,0)')::text FROM truth WHERE i BETWEEN 51 AND 80) AS same_model,
	pg_temp.close(forecasts, (SELECT array_agg(forecast ORDER BY origin) FROM (SELECT array_agg(value ORDER BY i) AS y FROM truth WHERE i <= 80) AS h,
		arima_backtest(y, '(1,0,0)', 30, "window" => 30))) AS walk
FROM arima_ops.models JOIN arima_ops.evaluations USING (series, version) WHERE series = 'reg_b';
-- a model that the values before the folds are too few for is not evaluated, but there
SELECT arima_ops.set_policy('reg_b', '{"train_window": null, "options": {"max_p": 1}}'), arima_ops.train('reg_b', '(0,1,1)(0,1,1)[40]');
SELECT version, n, reference_rmse, details -> 'no_evaluation' AS said FROM arima_ops.models JOIN arima_ops.events USING (series, version) WHERE series = 'reg_b' AND version = 3;
-- one for which they are too few altogether is an error
SELECT arima_ops.train('reg_b', '(0,1,1)(0,1,1)[90]');
-- and so are values that the options do not admit
SELECT arima_ops.create_series('reg_c', '(0,1,1)', '{"lambda": 0}');
SELECT inserted FROM arima_ops.record_actuals('reg_c', (SELECT array_agg(ts) FROM truth WHERE i <= 100), (SELECT array_agg(value - 50) FROM truth WHERE i <= 100));
SELECT arima_ops.train('reg_c');
SELECT count(*) FROM arima_ops.models WHERE series = 'reg_c';
-- constant values
SELECT arima_ops.create_series('reg_d', 'auto', policy => '{"backtest_length": 20}');
SELECT inserted FROM arima_ops.record_actuals('reg_d', (SELECT array_agg(ts) FROM truth WHERE i <= 100), (SELECT array_agg(7.0) FROM truth WHERE i <= 100));
SELECT arima_ops.train('reg_d');
SELECT spec, rmse, naive_rmse, theil_u, mase, forecasts[20] FROM arima_ops.models JOIN arima_ops.evaluations USING (series, version) WHERE series = 'reg_d';

-- many at once, by workers and without: the same, in any order
SELECT workers, count(*), bool_and(r.model::text = s.model::text AND r.forecasts = s.forecasts AND r.champion_forecasts = s.champion_forecasts) AS same
FROM unnest(ARRAY[0, 1, 2, 3, NULL]) AS workers,
	(SELECT array_agg(arima_ops.plan_training(name)) AS plans FROM arima_ops.series WHERE name IN ('reg_a', 'reg_b', 'reg_d')) AS p,
	arima_ops.run_trainings(plans || plans || plans, workers) AS r
	JOIN (SELECT t.* FROM arima_ops.series, arima_ops.run_trainings(ARRAY[arima_ops.plan_training(name)], 0) AS t
		WHERE name IN ('reg_a', 'reg_b', 'reg_d')) AS s USING (series)
GROUP BY workers ORDER BY workers;
-- one that fails does not keep the others from it
SELECT series, model IS NOT NULL AS model, cardinality(forecasts) AS folds, sqlstate, message, hint
FROM (SELECT array_agg(arima_ops.plan_training(name, spec)) AS plans FROM (VALUES ('reg_a', NULL), ('reg_b', '(0,1,1)(0,1,1)[90]'), ('reg_b', '(0,1,1)(0,1,1)[40]'), ('reg_c', NULL), ('reg_d', NULL)) AS v (name, spec)) AS p,
	arima_ops.run_trainings(plans, 2) ORDER BY series, message;
SELECT count(*) FROM arima_ops.run_trainings('{}');
SELECT count(*) FROM arima_ops.run_trainings(NULL);
SELECT count(*) FROM arima_ops.run_trainings(ARRAY[NULL]::arima_ops.training[]);
SELECT count(*) FROM arima_ops.run_trainings(ARRAY[ROW ('x', '{1,2,3}', '(0,0,0)', '{}', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::arima_ops.training]);
SELECT message, hint FROM arima_ops.run_trainings(ARRAY[ROW ('x', '{1,2,3}', '(0,0,0)', '{}', 3, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::arima_ops.training]);
SELECT count(*) FROM arima_ops.run_trainings('{}', -1);

-- the champion in the folds is the model that is there, not another estimate: also after a
-- split, and where training began in the middle of the values
SELECT arima_ops.create_series('reg_e', '(1,0,1) with drift', policy => '{"backtest_length": 50, "train_window": 100}');
SELECT inserted FROM arima_ops.record_actuals('reg_e', (SELECT array_agg(ts ORDER BY i) FROM truth WHERE i <= 200), (SELECT array_agg(value + i / 10.0 ORDER BY i) FROM truth WHERE i <= 200));
SELECT arima_ops.train('reg_e');
SELECT arima_ops.restate('reg_e', 0.25, (SELECT ts FROM truth WHERE i = 200));
SELECT inserted FROM arima_ops.record_actuals('reg_e', (SELECT array_agg(ts ORDER BY i) FROM truth WHERE i BETWEEN 201 AND 220), (SELECT array_agg((value + i / 10.0) / 4 ORDER BY i) FROM truth WHERE i BETWEEN 201 AND 220));
SELECT t.champion, t.champion_adjustment, t.champion_offset, cardinality(t.y) AS n, t.folds, t.trained_from FROM arima_ops.plan_training('reg_e') AS t;
-- its trend goes on from where its training began: the same forecasts as by a filter from there
SELECT count(*), max(abs(f - b.forecast / 4)) < 1e-6 AS forecasts
FROM arima_ops.run_trainings(ARRAY[arima_ops.plan_training('reg_e')], 0) AS r, unnest(r.champion_forecasts) WITH ORDINALITY AS u (f, k)
	JOIN (SELECT origin + 100 AS origin, forecast FROM arima_ops.models,
			(SELECT array_agg(value + i / 10.0 ORDER BY i) AS y FROM truth WHERE i BETWEEN 101 AND 220) AS h, arima_backtest(model, y, 70) WHERE series = 'reg_e') AS b
		ON b.origin = 169 + k;

-- the tables refuse what cannot be
\set VERBOSITY terse
UPDATE arima_ops.evaluations SET version = 9 WHERE series = 'reg_a';
UPDATE arima_ops.evaluations SET kind = 'gate' WHERE series = 'reg_a';
UPDATE arima_ops.evaluations SET forecasts = forecasts[2:] WHERE series = 'reg_a';
UPDATE arima_ops.evaluations SET last_fold = last_fold + interval '1 day' WHERE series = 'reg_a';
UPDATE arima_ops.evaluations SET rmse = -1 WHERE series = 'reg_a';
UPDATE arima_ops.models SET former = version WHERE series = 'reg_a';
UPDATE arima_ops.models SET promoted_by = 'luck' WHERE series = 'reg_a' AND promoted_at IS NOT NULL;
