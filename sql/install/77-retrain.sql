/* ---- retraining: when it is due, who is better, and what follows ---- */

/* What retrain gives. */
CREATE TYPE arima_ops.retraining AS (
	series text,
	outcome text,
	version int,
	champion_version int,
	reason text,
	n_folds int,
	rmse float8,
	champion_rmse float8,
	naive_rmse float8,
	gain float8,
	dm_statistic float8,
	dm_p_value float8);
COMMENT ON TYPE arima_ops.retraining IS
'What came of a retraining: not due, kept (the champion), promoted (the new version), or first';

CREATE FUNCTION arima_ops.retrain_due(series text, OUT due boolean, OUT reason text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	policy arima_ops.series := arima_ops.get_series(series);
	champion arima_ops.models;
	newest arima_ops.models;
	sessions bigint;
BEGIN
	due := false;
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion';
	IF NOT FOUND THEN
		due := true;
		reason := 'no model yet';
		RETURN;
	END IF;
	SELECT count(*) INTO sessions FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts > champion.champion_from;
	IF sessions < policy.cooldown THEN
		reason := format('cooldown: %s of %s sessions since the last change of champion', sessions, policy.cooldown);
		RETURN;
	END IF;
	SELECT * INTO newest FROM arima_ops.models AS m WHERE m.series = series ORDER BY m.version DESC LIMIT 1;
	SELECT count(*) INTO sessions FROM arima_ops.actuals AS a WHERE a.series = series AND a.ts > newest.trained_to;
	IF EXISTS (SELECT FROM arima_ops.events AS e
			WHERE e.series = series AND e.kind = 'restatement' AND e.at > newest.created_at) THEN
		due := true;
		reason := format('values restated since version %s was trained', newest.version);
	ELSIF newest.trained_to > (SELECT max(a.ts) FROM arima_ops.actuals AS a WHERE a.series = series) THEN
		due := true;
		reason := format('the last value that version %s was trained on was removed', newest.version);
	ELSIF sessions > 0 AND arima_ops.in_drift(series)
		AND (sessions >= policy.cooldown OR NOT EXISTS (SELECT FROM arima_ops.events AS e
			WHERE e.series = series AND e.at >= policy.created_at AND e.kind = 'rejection' AND e.version = newest.version AND e.details ->> 'why' = 'drift')) THEN
		due := true;
		reason := 'drift';
	ELSIF sessions >= policy.retrain_every THEN
		due := true;
		reason := format('%s new sessions', sessions);
	ELSE
		reason := format('%s of %s new sessions, no drift', sessions, policy.retrain_every);
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.retrain_due(text) IS
'Is it time to train a series anew? On drift, at once and, while it lasts, every cooldown sessions; after retrain_every sessions since it, after a restatement of values or where its last value was removed; not within cooldown sessions of a change of champion';

/*
 * Errors are those of the same sessions in the same order; rmse that of the naive
 * forecast for them.  Where both make the same errors there is no test, and no promotion.
 */
CREATE FUNCTION arima_ops.judge(
	policy text,
	min_gain float8,
	alpha float8,
	errors float8[],
	champion_errors float8[],
	naive_rmse float8,
	OUT promote boolean,
	OUT gain float8,
	OUT dm_statistic float8,
	OUT dm_p_value float8,
	OUT reason text)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rmse float8 := (SELECT @extschema@.rolling_rmse(e, 0::float8) FROM unnest(errors) AS e);
	champion_rmse float8 := (SELECT @extschema@.rolling_rmse(e, 0::float8) FROM unnest(champion_errors) AS e);
	certainty text;
BEGIN
	gain := CASE WHEN champion_rmse > 0 THEN 1 - rmse / champion_rmse WHEN rmse = 0 THEN 0 END;
	SELECT t.statistic, t.p_value INTO dm_statistic, dm_p_value
	FROM @extschema@.arima_diebold_mariano_test(champion_errors, errors, 1, 2::float8, 'greater'::text) AS t;
	certainty := CASE WHEN dm_p_value < 0.0001 THEN 'p < 0.0001' ELSE format('p = %s', coalesce(round(dm_p_value::numeric, 4)::text, 'undefined')) END;
	promote := false;
	IF NOT rmse < champion_rmse THEN
		reason := 'its RMSE is not smaller';
	ELSIF policy = 'rmse_only' THEN
		promote := true;
		reason := 'its RMSE is smaller';
	ELSIF gain < min_gain THEN
		reason := format('its RMSE is smaller by %s %%, wanted are %s %%', round(100 * gain::numeric, 2), round(100 * min_gain::numeric, 2));
	ELSIF dm_p_value IS NULL OR dm_p_value >= alpha THEN
		reason := 'the gain is not significant: ' || certainty;
	ELSIF rmse > naive_rmse THEN
		reason := 'it is worse than the naive forecast';
	ELSE
		promote := true;
		reason := format('its RMSE is smaller by %s %%, %s', round(100 * gain::numeric, 2), certainty);
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.judge(text, float8, float8, float8[], float8[], float8) IS
'Is a candidate to replace the champion, by their errors in the same sessions? Policy rmse_only: its RMSE is smaller; significant: by min_gain at least, with a one-sided Diebold-Mariano test (Harvey, Leybourne and Newbold) at alpha, and not worse than the naive forecast';

/* The errors of forecasts of the last values of y. */
CREATE FUNCTION arima_ops.fold_errors(y float8[], forecasts float8[]) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT array_agg(u.actual - u.forecast)
		FROM unnest(y[cardinality(y) - cardinality(forecasts) + 1 :], forecasts) AS u (actual, forecast));
END $$;
COMMENT ON FUNCTION arima_ops.fold_errors(float8[], float8[]) IS
'Errors (actual - forecast) of forecasts of the last values of y, one for each';

/* The gate: compares the new version of a locked series with its champion, and acts on it. */
CREATE FUNCTION arima_ops.pass_gate(plan arima_ops.training, result arima_ops.training_result, accuracy @extschema@.arima_accuracy_result,
	new_version int, due_reason text)
RETURNS arima_ops.retraining
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy arima_ops.series := arima_ops.get_series(plan.series);
	champion @extschema@.arima_accuracy_result := arima_ops.fold_accuracy(plan.y, result.champion_forecasts);
	evaluation arima_ops.evaluations := arima_ops.new_evaluation(plan, result, accuracy, new_version);
	verdict record;
	made arima_ops.retraining;
	details jsonb;
BEGIN
	made := ROW (plan.series, 'kept', new_version, plan.champion, arima_ops.no_folds_reason(plan, result), plan.folds,
		accuracy.rmse, champion.rmse, evaluation.naive_rmse, NULL, NULL, NULL);
	IF made.reason IS NULL THEN
		SELECT * INTO verdict FROM arima_ops.judge(policy.promotion_policy, policy.promotion_min_gain, policy.promotion_alpha,
			arima_ops.fold_errors(plan.y, result.forecasts), arima_ops.fold_errors(plan.y, result.champion_forecasts), evaluation.naive_rmse);
		made.outcome := CASE WHEN verdict.promote THEN 'promoted' ELSE 'kept' END;
		made.reason := verdict.reason;
		made.gain := verdict.gain;
		made.dm_statistic := verdict.dm_statistic;
		made.dm_p_value := verdict.dm_p_value;
		evaluation.kind := 'gate';
		evaluation.champion_version := plan.champion;
		evaluation.champion_forecasts := result.champion_forecasts;
		evaluation.champion_mae := champion.mae;
		evaluation.champion_rmse := champion.rmse;
		evaluation.champion_mape := champion.mape;
		evaluation.champion_smape := champion.smape;
		evaluation.champion_mase := champion.mase;
		evaluation.gain := verdict.gain;
		evaluation.dm_statistic := verdict.dm_statistic;
		evaluation.dm_p_value := verdict.dm_p_value;
		evaluation.policy := policy.promotion_policy;
		evaluation.decision := CASE WHEN verdict.promote THEN 'promoted' ELSE 'rejected' END;
		evaluation.reason := verdict.reason;
	END IF;
	IF result.forecasts IS NOT NULL THEN
		INSERT INTO arima_ops.evaluations OVERRIDING USER VALUE SELECT evaluation.*;
	END IF;
	details := jsonb_build_object('why', due_reason, 'champion', plan.champion, 'policy', policy.promotion_policy,
		'min_gain', policy.promotion_min_gain, 'alpha', policy.promotion_alpha, 'n_folds', plan.folds,
		'rmse', accuracy.rmse, 'mae', accuracy.mae, 'mape', accuracy.mape,
		'champion_rmse', champion.rmse, 'champion_mae', champion.mae, 'champion_mape', champion.mape,
		'naive_rmse', evaluation.naive_rmse, 'gain', made.gain, 'dm_statistic', made.dm_statistic, 'dm_p_value', made.dm_p_value);
	IF made.outcome = 'promoted' THEN
		PERFORM arima_ops.set_champion(plan.series, new_version, 'gate', made.reason, details);
	ELSE
		UPDATE arima_ops.models AS m SET status = 'rejected' WHERE m.series = plan.series AND m.version = new_version;
		PERFORM arima_ops.record_event('rejection', plan.series, new_version, made.reason, details);
	END IF;
	RETURN made;
END $$;
COMMENT ON FUNCTION arima_ops.pass_gate(arima_ops.training, arima_ops.training_result, @extschema@.arima_accuracy_result, int, text) IS
'Promotes or rejects a new version of a locked series, by the policy of the series, with the numbers in arima_ops.evaluations and an event';

/* What was computed without a lock is taken over, unless it is out of date. */
CREATE FUNCTION arima_ops.finish_retraining(plan arima_ops.training, result arima_ops.training_result, force boolean)
RETURNS arima_ops.retraining
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	check_due record;
	accuracy @extschema@.arima_accuracy_result;
	new_version int;
	champion int;
BEGIN
	PERFORM arima_ops.lock_series(ARRAY[plan.series]);
	SELECT * INTO check_due FROM arima_ops.retrain_due(plan.series);
	IF force THEN
		check_due.reason := 'forced';
	ELSIF NOT check_due.due THEN
		-- somebody else was first
		SELECT m.version INTO champion FROM arima_ops.models AS m WHERE m.series = plan.series AND m.status = 'champion';
		RETURN ROW (plan.series, 'not due', NULL, champion, check_due.reason, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::arima_ops.retraining;
	END IF;
	SELECT m.version INTO champion FROM arima_ops.models AS m WHERE m.series = plan.series AND m.status = 'champion';
	IF champion IS DISTINCT FROM plan.champion OR NOT arima_ops.plan_holds(plan) THEN
		-- values or champion were changed in between; now they cannot be
		plan := arima_ops.plan_training(plan.series);
		SELECT * INTO result FROM arima_ops.run_trainings(ARRAY[plan], 0);
	END IF;
	IF result.model IS NULL THEN
		PERFORM arima_ops.raise_fault(result);
	END IF;
	accuracy := arima_ops.fold_accuracy(plan.y, result.forecasts);
	new_version := arima_ops.register_model(plan, result, accuracy);
	IF plan.champion IS NOT NULL THEN
		RETURN arima_ops.pass_gate(plan, result, accuracy, new_version, check_due.reason);
	END IF;
	PERFORM arima_ops.introduce_model(plan, result, accuracy, new_version);
	RETURN ROW (plan.series, 'first', new_version, NULL, 'first model', plan.folds, accuracy.rmse, NULL,
		(SELECT e.naive_rmse FROM arima_ops.evaluations AS e WHERE e.series = plan.series AND e.version = new_version),
		NULL, NULL, NULL)::arima_ops.retraining;
END $$;
COMMENT ON FUNCTION arima_ops.finish_retraining(arima_ops.training, arima_ops.training_result, boolean) IS
'Registers what the retraining of a series has computed, and decides on its promotion';

CREATE FUNCTION arima_ops.retrain(series text, force boolean DEFAULT false) RETURNS arima_ops.retraining
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	check_due record;
	plan arima_ops.training;
	result arima_ops.training_result;
BEGIN
	SELECT * INTO check_due FROM arima_ops.retrain_due(series);
	IF NOT check_due.due AND NOT force THEN
		RETURN ROW (series, 'not due', NULL, (SELECT m.version FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion'),
			check_due.reason, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::arima_ops.retraining;
	END IF;
	plan := arima_ops.plan_training(series);
	SELECT * INTO result FROM arima_ops.run_trainings(ARRAY[plan], 0);
	RETURN arima_ops.finish_retraining(plan, result, force);
END $$;
COMMENT ON FUNCTION arima_ops.retrain(text, boolean) IS
'Trains a new version if it is due (see arima_ops.retrain_due; force: in any case), compares it with the champion walk-forward on the same folds, and promotes it if the promotion policy of the series says that it is better; else it is rejected. Every decision is an event with its numbers';

CREATE FUNCTION arima_ops.check_probation(series text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	policy arima_ops.series := arima_ops.get_series(series);
	champion arima_ops.models;
BEGIN
	IF NOT arima_ops.in_drift(series) THEN
		RETURN NULL;
	END IF;
	PERFORM arima_ops.lock_series(ARRAY[series]);
	SELECT * INTO champion FROM arima_ops.models AS m WHERE m.series = series AND m.status = 'champion';
	IF champion.promoted_by NOT IN ('gate', 'hand') OR champion.former IS NULL OR NOT arima_ops.in_drift(series)
		OR NOT EXISTS (SELECT FROM arima_ops.drift_checks AS d WHERE d.series = series AND d.version = champion.version
			AND d.ts > champion.champion_from AND d.drift AND d.labels <= policy.probation) THEN
		RETURN NULL;
	END IF;
	RETURN arima_ops.rollback(series, 'drift within its probation');
END $$;
COMMENT ON FUNCTION arima_ops.check_probation(text) IS
'Brings the former champion back if the present one drifted within probation labelled sessions of its promotion; gives the version, NULL if all is well. A champion that came by a rollback, or was the first, is not on probation';

/* ---- the job ---- */

CREATE FUNCTION arima_ops.series_to_retrain(force boolean) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_agg(s.name ORDER BY s.name), '{}') FROM arima_ops.series AS s
	WHERE s.active AND (force OR (SELECT r.due FROM arima_ops.retrain_due(s.name) AS r))
		AND EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = s.name)
$$;
COMMENT ON FUNCTION arima_ops.series_to_retrain(boolean) IS
'The active series with values for which a retraining is due, or all';

/* The part of a batch that needs no lock: what is to be computed, and its results. */
CREATE FUNCTION arima_ops.compute_trainings(wanted text[], workers int, OUT plans arima_ops.training[], OUT results arima_ops.training_result[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT array_agg(p.plan ORDER BY p.name) INTO plans
	FROM (SELECT w.name, arima_ops.plan_training(w.name) AS plan FROM unnest(wanted) AS w (name)
		WHERE EXISTS (SELECT FROM arima_ops.actuals AS a WHERE a.series = w.name)) AS p;
	SELECT array_agg(r ORDER BY r.series) INTO results FROM arima_ops.run_trainings(plans, workers) AS r;
END $$;
COMMENT ON FUNCTION arima_ops.compute_trainings(text[], int) IS
'Plans the training of some series and computes it by parallel workers; both arrays are in the order of the names';

/* One series of a batch; its error is an event, and the others go on. */
CREATE FUNCTION arima_ops.try_finish_retraining(plan arima_ops.training, result arima_ops.training_result, force boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hint text;
BEGIN
	PERFORM arima_ops.finish_retraining(plan, result, force);
	RETURN true;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	IF NOT EXISTS (SELECT FROM arima_ops.series AS s WHERE s.name = plan.series) THEN
		RETURN true;
	END IF;
	PERFORM arima_ops.record_event('retrain_failed', plan.series, NULL, SQLERRM,
		jsonb_build_object('sqlstate', SQLSTATE, 'hint', hint));
	RETURN false;
END $$;
COMMENT ON FUNCTION arima_ops.try_finish_retraining(arima_ops.training, arima_ops.training_result, boolean) IS
'arima_ops.finish_retraining, unless the series was dropped in between; false if it failed, with an event retrain_failed';

/*
 * Series are computed by the batch, on all cores, and registered one by one.  Kill it
 * at any moment: what is registered is no longer due, the rest still is.
 */
CREATE PROCEDURE arima_ops.run_retraining(force boolean DEFAULT false, workers int DEFAULT NULL, batch int DEFAULT 64)
LANGUAGE plpgsql AS $$
DECLARE
	run bigint;
	wanted text[];
	total int;
	done int := 0;
	failed int := 0;
	computed record;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	-- a number of workers that is none is an error before there is a run
	PERFORM FROM arima_ops.run_trainings('{}', workers);
	run := arima_ops.begin_job('retraining', batch);
	IF run IS NULL THEN
		RETURN;
	END IF;
	wanted := arima_ops.series_to_retrain(force);
	total := cardinality(wanted);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
		IF NOT arima_ops.job_progress(run, done, total) THEN
			RETURN;
		END IF;
		EXIT WHEN done >= total;
		computed := arima_ops.compute_trainings(wanted[done + 1 : done + batch], workers);
		FOR i IN 1 .. coalesce(cardinality(computed.plans), 0) LOOP
			COMMIT;
			SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
			PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
			IF NOT arima_ops.job_progress(run, done + i - 1) THEN
				RETURN;
			END IF;
			IF NOT arima_ops.try_finish_retraining(computed.plans[i], computed.results[i], force) THEN
				failed := failed + 1;
			END IF;
		END LOOP;
		done := least(done + batch, total);
	END LOOP;
	IF failed > 0 THEN
		PERFORM arima_ops.end_job(run, 'failed', format('%s of %s series could not be retrained: see the events retrain_failed', failed, total));
	ELSE
		PERFORM arima_ops.end_job(run);
	END IF;
END $$;
COMMENT ON PROCEDURE arima_ops.run_retraining(boolean, int, int) IS
'Job: retrains every active series for which it is due (force: all), by parallel workers (as arima_fit_all), so many series a batch; commits series by series. A series that fails is an event, and the rest go on. Killed at any moment, the next run goes on where it was';
