/* ---- registry: evaluations, training, promotion and rollback ---- */

ALTER TABLE arima_ops.models
	ADD COLUMN former int CHECK (former <> version),
	ADD COLUMN promoted_by text CHECK (promoted_by IN ('first', 'gate', 'hand', 'rollback')),
	ADD CHECK (promoted_by IS NULL OR promoted_at IS NOT NULL);

COMMENT ON COLUMN arima_ops.models.former IS 'champion that it replaced, to which rollback returns';
COMMENT ON COLUMN arima_ops.models.promoted_by IS 'how it last became champion: first: there was none; gate: better than the champion of that time; hand; rollback';

/*
 * How a model did in folds: forecasts of sessions that it had not seen.  Prices are
 * those of the time of the evaluation.
 */
CREATE TABLE arima_ops.evaluations (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	series text NOT NULL,
	version int NOT NULL,
	evaluated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	kind text NOT NULL CHECK (kind IN ('training', 'gate')),
	horizon int NOT NULL DEFAULT 1 CHECK (horizon > 0),
	n_folds int NOT NULL CHECK (n_folds > 0),
	first_fold timestamptz NOT NULL,
	last_fold timestamptz NOT NULL,
	sessions timestamptz[] NOT NULL,
	actuals float8[] NOT NULL,
	forecasts float8[] NOT NULL,
	mae float8 NOT NULL CHECK (mae >= 0),
	rmse float8 NOT NULL CHECK (rmse >= 0),
	mape float8 CHECK (mape >= 0),
	smape float8 CHECK (smape BETWEEN 0 AND 200),
	mase float8 CHECK (mase >= 0),
	naive_rmse float8 NOT NULL CHECK (naive_rmse >= 0),
	theil_u float8 CHECK (theil_u >= 0),
	-- of a gate
	champion_version int CHECK (champion_version <> version),
	champion_forecasts float8[],
	champion_mae float8 CHECK (champion_mae >= 0),
	champion_rmse float8 CHECK (champion_rmse >= 0),
	champion_mape float8 CHECK (champion_mape >= 0),
	champion_smape float8 CHECK (champion_smape BETWEEN 0 AND 200),
	champion_mase float8 CHECK (champion_mase >= 0),
	gain float8 CHECK (gain <= 1),
	dm_statistic float8,
	dm_p_value float8 CHECK (dm_p_value BETWEEN 0 AND 1),
	policy text CHECK (policy IN ('rmse_only', 'significant')),
	decision text CHECK (decision IN ('promoted', 'rejected')),
	reason text,
	FOREIGN KEY (series, version) REFERENCES arima_ops.models,
	FOREIGN KEY (series, champion_version) REFERENCES arima_ops.models,
	CHECK (first_fold <= last_fold),
	CHECK (pg_catalog.cardinality(sessions) = n_folds AND sessions[1] = first_fold AND sessions[n_folds] = last_fold),
	CHECK (pg_catalog.cardinality(actuals) = n_folds AND pg_catalog.cardinality(forecasts) = n_folds),
	CHECK (pg_catalog.cardinality(champion_forecasts) = n_folds),
	CHECK ((dm_statistic IS NULL) = (dm_p_value IS NULL)),
	CHECK (CASE kind WHEN 'gate'
		THEN pg_catalog.num_nulls(champion_version, champion_forecasts, champion_mae, champion_rmse, policy, decision, reason) = 0
		ELSE pg_catalog.num_nonnulls(champion_version, champion_forecasts, champion_mae, champion_rmse, champion_mape, champion_smape,
			champion_mase, gain, dm_statistic, dm_p_value, policy, decision, reason) = 0 END));
CREATE INDEX evaluations_version ON arima_ops.evaluations (series, version);

COMMENT ON TABLE arima_ops.evaluations IS
'How a version of a model did walk-forward, in the last sessions before it was registered: forecasts one step ahead, each made without the values from its session on. A gate is the comparison with the champion, on the same folds, that decides on a promotion. In the prices of that time';
COMMENT ON COLUMN arima_ops.evaluations.kind IS 'training: the model alone; gate: beside the champion';
COMMENT ON COLUMN arima_ops.evaluations.horizon IS 'steps ahead';
COMMENT ON COLUMN arima_ops.evaluations.first_fold IS 'session of the first forecast';
COMMENT ON COLUMN arima_ops.evaluations.last_fold IS 'session of the last forecast';
COMMENT ON COLUMN arima_ops.evaluations.sessions IS 'sessions of the forecasts';
COMMENT ON COLUMN arima_ops.evaluations.forecasts IS 'of its orders, estimated anew as backtest_refit_every says; chosen, where they were chosen, from the values before the first fold';
COMMENT ON COLUMN arima_ops.evaluations.mase IS 'scaled by the mean absolute change of the values before the first fold';
COMMENT ON COLUMN arima_ops.evaluations.naive_rmse IS 'RMSE of the value before as forecast';
COMMENT ON COLUMN arima_ops.evaluations.theil_u IS 'rmse over naive_rmse: below 1 is better than naive';
COMMENT ON COLUMN arima_ops.evaluations.champion_forecasts IS 'of the champion as it answered requests: its parameters, its state rolled from session to session';
COMMENT ON COLUMN arima_ops.evaluations.gain IS '1 - rmse / champion_rmse';
COMMENT ON COLUMN arima_ops.evaluations.dm_statistic IS 'of the Diebold-Mariano test with the correction of Harvey, Leybourne and Newbold; positive where the candidate is better. NULL: the errors are the same';
COMMENT ON COLUMN arima_ops.evaluations.dm_p_value IS 'one-sided: small where the candidate is better';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.evaluations', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.evaluations_id_seq', '');

/* ---- what is to be computed for a series ---- */

/* The first ten are read by the C function; see src/pg/training.c. */
CREATE TYPE arima_ops.training AS (
	series text,
	y float8[],
	spec text,
	options jsonb,
	folds int,
	refit_every int,
	train_window int,
	champion_model @extschema@.arima_model,
	champion_adjustment float8,
	champion_offset int,
	champion int,
	history_from timestamptz,
	trained_from timestamptz,
	trained_to timestamptz,
	history_hash text,
	data_hash text,
	sessions timestamptz[]);
COMMENT ON TYPE arima_ops.training IS
'What the training of a series is computed from: its values, those before the folds and those in them; specification and options; the champion to compare with, its price basis, and how many of the values are from before its own training';

CREATE TYPE arima_ops.training_result AS (
	series text,
	model @extschema@.arima_model,
	forecasts float8[],
	champion_forecasts float8[],
	sqlstate text,
	message text,
	hint text);
COMMENT ON TYPE arima_ops.training_result IS
'What a training gives: the model of all values, forecasts of candidate and champion in the folds; where something of these is missing, why';

CREATE FUNCTION arima_ops.run_trainings(trainings arima_ops.training[], workers int DEFAULT NULL)
RETURNS SETOF arima_ops.training_result
AS 'MODULE_PATHNAME', 'arima_ops_run_trainings'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 32;
COMMENT ON FUNCTION arima_ops.run_trainings(arima_ops.training[], int) IS
'Computes trainings by parallel workers (by default max_parallel_workers_per_gather; 0: in this process), in the order in which they are ready; writes nothing. A series that cannot be fitted gives the reason';

/* Folds out of n values: not more than half of what there is, or what a training window leaves. */
CREATE FUNCTION arima_ops.count_folds(n int, backtest_length int, train_window int) RETURNS int
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	folds int := least(backtest_length, n - least(coalesce(train_window, n), (n + 1) / 2));
BEGIN
	RETURN CASE WHEN folds >= least(20, backtest_length) THEN folds ELSE 0 END;
END $$;
COMMENT ON FUNCTION arima_ops.count_folds(int, int, int) IS
'How many of the last of n values are folds: backtest_length, or fewer if there are not twice as many values; 0 if it would be less than 20';

/* STABLE: all its queries see one state of the tables. */
CREATE FUNCTION arima_ops.plan_training(series text, spec text DEFAULT NULL, against_champion boolean DEFAULT true)
RETURNS arima_ops.training
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	plan arima_ops.training;
	policy arima_ops.series := arima_ops.get_series(series);
	champion arima_ops.models;
	ts timestamptz[];
	n int;
BEGIN
	SELECT array_agg(l.value), array_agg(l.ts), count(*) INTO plan.y, ts, n
	FROM (SELECT * FROM (SELECT a.ts, a.value FROM arima_ops.actuals AS a WHERE a.series = series
			ORDER BY a.ts DESC LIMIT policy.train_window + policy.backtest_length) AS newest
		ORDER BY newest.ts) AS l;
	IF n = 0 THEN
		RAISE EXCEPTION 'series "%" has no actual values', series
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Record them by arima_ops.record_actuals(series, ts, value).';
	END IF;
	plan.series := series;
	plan.spec := coalesce(spec, policy.spec);
	-- bounds of the choice are no use to orders that are given
	plan.options := CASE WHEN spec IS NULL OR spec ~* '^[[:space:]]*(arima)?[[:space:]]*auto' THEN policy.options
		ELSE (SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}') FROM jsonb_each(policy.options) AS o WHERE o.key IN ('method', 'lambda', 'bias_adjust', 'interval')) END;
	plan.folds := arima_ops.count_folds(n, policy.backtest_length, policy.train_window);
	plan.refit_every := policy.backtest_refit_every;
	plan.train_window := policy.train_window;
	plan.history_from := ts[1];
	plan.trained_from := ts[greatest(1, n + 1 - policy.train_window)];
	plan.trained_to := ts[n];
	plan.sessions := ts[n + 1 - plan.folds : n];
	plan.history_hash := arima_ops.values_hash(ts, plan.y);
	plan.data_hash := CASE WHEN n <= policy.train_window OR policy.train_window IS NULL THEN plan.history_hash
		ELSE arima_ops.values_hash(ts[n + 1 - policy.train_window :], plan.y[n + 1 - policy.train_window :]) END;
	IF against_champion THEN
		SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion';
		plan.champion := champion.version;
		plan.champion_model := champion.model;
		plan.champion_adjustment := champion.adjustment;
		-- counted back from the end of its training, as the folds come after it or near it: what came late or went before them moves none
		plan.champion_offset := CASE WHEN ts[1] >= champion.trained_to THEN 1 - arima_ops.session_number(champion, ts[1])
			ELSE (SELECT count(*) FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts >= ts[1] AND a.ts <= champion.trained_to) - champion.n END;
	END IF;
	RETURN plan;
END $$;
COMMENT ON FUNCTION arima_ops.plan_training(text, text, boolean) IS
'What the training of a series, by its own specification or another one, would be computed from now';

/* Of a locked series: are history and champion still those of the plan?  Values after it do not matter. */
CREATE FUNCTION arima_ops.plan_holds(plan arima_ops.training) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN arima_ops.history_hash(plan.series, plan.history_from, plan.trained_to) = plan.history_hash
		AND (plan.champion IS NULL OR EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = plan.series
			AND m.version = plan.champion AND m.status = 'champion' AND m.adjustment = plan.champion_adjustment));
END $$;
COMMENT ON FUNCTION arima_ops.plan_holds(arima_ops.training) IS
'Is the training of a locked series still what it would be computed from, up to the last value of then?';

CREATE FUNCTION arima_ops.raise_fault(result arima_ops.training_result) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'series "%" cannot be trained: %', result.series, result.message
		USING ERRCODE = result.sqlstate,
			HINT = coalesce(result.hint, 'Look at the values of the series, its specification and its options.');
END $$;
COMMENT ON FUNCTION arima_ops.raise_fault(arima_ops.training_result) IS 'The error of a training that gave no model';

/* ---- registering a model ---- */

/* How good forecasts of consecutive sessions are: accuracy with the value before as naive forecast. */
CREATE FUNCTION arima_ops.fold_accuracy(y float8[], forecasts float8[]) RETURNS @extschema@.arima_accuracy_result
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	before int := cardinality(y) - cardinality(forecasts);
	-- not in the query, which would compute it for each row
	scale float8 := @extschema@.arima_naive_scale(y[: before]);
	accuracy @extschema@.arima_accuracy_result;
BEGIN
	SELECT (a.accuracy).* INTO accuracy
	FROM (SELECT @extschema@.arima_accuracy(u.forecast, u.actual, u.naive, scale) AS accuracy
		FROM unnest(forecasts, y[before + 1 :], y[before : cardinality(y) - 1]) AS u (forecast, actual, naive)) AS a;
	RETURN accuracy;
END $$;
COMMENT ON FUNCTION arima_ops.fold_accuracy(float8[], float8[]) IS
'Accuracy of forecasts of the last values of y, one for each; the values before them give the scale of MASE';

/* A new version of a locked series, as candidate, with what it did in the folds. */
CREATE FUNCTION arima_ops.register_model(plan arima_ops.training, result arima_ops.training_result, accuracy @extschema@.arima_accuracy_result)
RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_version int;
BEGIN
	INSERT INTO arima_ops.models (series, version, spec, model, trained_from, trained_to, n, data_hash, reference_rmse)
	SELECT plan.series, coalesce((SELECT max(m.version) FROM arima_ops.models AS m WHERE m.series = plan.series), 0) + 1,
		s.spec, result.model, plan.trained_from, plan.trained_to, s.n, plan.data_hash, accuracy.rmse
	FROM @extschema@.arima_stats(result.model) AS s
	RETURNING version INTO new_version;
	RETURN new_version;
END $$;
COMMENT ON FUNCTION arima_ops.register_model(arima_ops.training, arima_ops.training_result, @extschema@.arima_accuracy_result) IS
'Adds a version, as candidate, to the models of a locked series; gives its number';

/* Without id, which the table gives, and without what a gate adds. */
CREATE FUNCTION arima_ops.new_evaluation(plan arima_ops.training, result arima_ops.training_result,
	accuracy @extschema@.arima_accuracy_result, version int)
RETURNS arima_ops.evaluations
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	evaluation arima_ops.evaluations;
	before int := cardinality(plan.y) - plan.folds;
BEGIN
	evaluation.series := plan.series;
	evaluation.version := version;
	evaluation.evaluated_at := clock_timestamp();
	evaluation.kind := 'training';
	evaluation.horizon := 1;
	evaluation.n_folds := plan.folds;
	evaluation.first_fold := plan.sessions[1];
	evaluation.last_fold := plan.sessions[plan.folds];
	evaluation.sessions := plan.sessions;
	evaluation.actuals := plan.y[before + 1 :];
	evaluation.forecasts := result.forecasts;
	evaluation.mae := accuracy.mae;
	evaluation.rmse := accuracy.rmse;
	evaluation.mape := accuracy.mape;
	evaluation.smape := accuracy.smape;
	evaluation.mase := accuracy.mase;
	evaluation.naive_rmse := (SELECT @extschema@.rolling_rmse(u.naive, u.actual)
		FROM unnest(plan.y[before : cardinality(plan.y) - 1], evaluation.actuals) AS u (naive, actual));
	evaluation.theil_u := accuracy.theil_u;
	RETURN evaluation;
END $$;
COMMENT ON FUNCTION arima_ops.new_evaluation(arima_ops.training, arima_ops.training_result, @extschema@.arima_accuracy_result, int) IS
'How a version did in the folds of its training, as a row of arima_ops.evaluations that is not there yet';

/* Why there is no evaluation; NULL if there is one. */
CREATE FUNCTION arima_ops.no_folds_reason(plan arima_ops.training, result arima_ops.training_result) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF plan.folds = 0 THEN
		RETURN format('%s values are too few for an evaluation', cardinality(plan.y));
	ELSIF result.forecasts IS NULL OR plan.champion IS NOT NULL AND result.champion_forecasts IS NULL THEN
		RETURN format('no evaluation: %s', result.message);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.no_folds_reason(arima_ops.training, arima_ops.training_result) IS
'Why a training could not be evaluated; NULL if it was';

/* ---- the champion ---- */

/* Puts a version of a locked series in the place of the champion, and says so. */
CREATE FUNCTION arima_ops.set_champion(series text, version int, promoted_by text, reason text, details jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	former int;
BEGIN
	UPDATE arima_ops.models AS m
	SET status = 'archived', retired_at = clock_timestamp(),
		-- once left by a rollback it does not lead back
		former = CASE WHEN promoted_by <> 'rollback' THEN m.former END
	WHERE m.series = series AND m.status = 'champion' RETURNING m.version INTO former;
	UPDATE arima_ops.models AS m
	SET status = 'champion', promoted_at = clock_timestamp(), retired_at = NULL, promoted_by = promoted_by,
		champion_from = coalesce((SELECT max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = series), m.trained_to),
		former = CASE WHEN promoted_by = 'rollback' THEN m.former ELSE former END
	WHERE m.series = series AND m.version = version;
	PERFORM arima_ops.record_event(CASE promoted_by WHEN 'rollback' THEN 'rollback' ELSE 'promotion' END, series, version, reason,
		jsonb_build_object('by', promoted_by, 'former', former) || details);
END $$;
COMMENT ON FUNCTION arima_ops.set_champion(text, int, text, text, jsonb) IS
'Makes a version of a locked series its champion in place of the one before, with an event';

/* The version, or an error that says what to do. */
CREATE FUNCTION arima_ops.get_model(series text, version int) RETURNS arima_ops.models
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	found_model arima_ops.models;
BEGIN
	PERFORM arima_ops.get_series(series);
	SELECT * INTO found_model FROM arima_ops.models AS m WHERE m.series = series AND m.version = version;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'series "%" has no version %', series, coalesce(version::text, 'NULL')
			USING ERRCODE = 'undefined_object', HINT = 'Its versions are in arima_ops.models; arima_ops.train(series) adds one.';
	END IF;
	RETURN found_model;
END $$;
COMMENT ON FUNCTION arima_ops.get_model(text, int) IS 'The row of a version; an error (42704) if there is none';

CREATE FUNCTION arima_ops.promote(series text, version int, reason text DEFAULT 'by hand') RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	wanted arima_ops.models;
	former int;
BEGIN
	PERFORM arima_ops.get_series(series);
	PERFORM arima_ops.lock_series(ARRAY[series]);
	wanted := arima_ops.get_model(series, version);
	IF wanted.status = 'champion' THEN
		RAISE NOTICE 'version % of series "%" is the champion already', version, series;
		RETURN version;
	END IF;
	SELECT m.version INTO former FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion';
	PERFORM arima_ops.set_champion(series, version, 'hand', coalesce(reason, 'by hand'));
	RETURN former;
END $$;
COMMENT ON FUNCTION arima_ops.promote(text, int, text) IS
'Makes a version the champion of its series, without asking whether it is better; gives the former champion. The next request is answered by it';

CREATE FUNCTION arima_ops.rollback(series text, reason text DEFAULT 'by hand') RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	champion arima_ops.models;
BEGIN
	PERFORM arima_ops.get_series(series);
	PERFORM arima_ops.lock_series(ARRAY[series]);
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion';
	IF champion.former IS NULL OR NOT EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = series AND m.version = champion.former) THEN
		RAISE EXCEPTION 'series "%" has no former champion to go back to', series
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Choose a version of arima_ops.models by arima_ops.promote(series, version).';
	END IF;
	PERFORM arima_ops.set_champion(series, champion.former, 'rollback', coalesce(reason, 'by hand'));
	RETURN champion.former;
END $$;
COMMENT ON FUNCTION arima_ops.rollback(text, text) IS
'Brings back the champion that the present one replaced, and gives its version. Called again, it goes back one more';

/* ---- training ---- */

/* A new version of a locked series that is not compared with the champion; without one it becomes it. */
CREATE FUNCTION arima_ops.introduce_model(plan arima_ops.training, result arima_ops.training_result,
	accuracy @extschema@.arima_accuracy_result, new_version int)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	details jsonb := jsonb_build_object('spec', (@extschema@.arima_stats(result.model)).spec, 'n_folds', plan.folds,
		'rmse', accuracy.rmse, 'mae', accuracy.mae, 'mape', accuracy.mape, 'no_evaluation', arima_ops.no_folds_reason(plan, result));
BEGIN
	IF result.forecasts IS NOT NULL THEN
		INSERT INTO arima_ops.evaluations OVERRIDING USER VALUE
		SELECT e.* FROM arima_ops.new_evaluation(plan, result, accuracy, new_version) AS e;
	END IF;
	IF EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = plan.series AND m.status = 'champion') THEN
		PERFORM arima_ops.record_event('training', plan.series, new_version, 'candidate registered', details);
	ELSE
		PERFORM arima_ops.set_champion(plan.series, new_version, 'first', 'first model', details);
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.introduce_model(arima_ops.training, arima_ops.training_result, @extschema@.arima_accuracy_result, int) IS
'Adds the evaluation of a new version of a locked series, and makes it the champion if there is none';

CREATE FUNCTION arima_ops.train(series text, spec text DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	plan arima_ops.training := arima_ops.plan_training(series, spec, false);
	result arima_ops.training_result;
	accuracy @extschema@.arima_accuracy_result;
	version int;
BEGIN
	SELECT * INTO result FROM arima_ops.run_trainings(ARRAY[plan], 0);
	PERFORM arima_ops.lock_series(ARRAY[series]);
	IF NOT arima_ops.plan_holds(plan) THEN
		-- values were changed in between; now they cannot be
		plan := arima_ops.plan_training(series, spec, false);
		SELECT * INTO result FROM arima_ops.run_trainings(ARRAY[plan], 0);
	END IF;
	IF result.model IS NULL THEN
		PERFORM arima_ops.raise_fault(result);
	END IF;
	accuracy := arima_ops.fold_accuracy(plan.y, result.forecasts);
	version := arima_ops.register_model(plan, result, accuracy);
	PERFORM arima_ops.introduce_model(plan, result, accuracy, version);
	RETURN version;
END $$;
COMMENT ON FUNCTION arima_ops.train(text, text) IS
'Trains a model on the values so far, by the specification of the series or another one, evaluates it walk-forward in the last backtest_length sessions, and registers it as candidate; the first model of a series becomes its champion. Orders that are chosen (auto) are chosen from the values before the folds. Gives the version';
