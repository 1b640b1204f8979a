/* ---- MLflow: where it is, and what it still has to be told ---- */

CREATE TABLE arima_ops.tracking_settings (
	single boolean PRIMARY KEY DEFAULT true CHECK (single),
	tracking_uri text NOT NULL
		CHECK (tracking_uri ~ '^https?://[^/@?#[:space:]]+(/[^@?#[:space:]]*)?$' AND tracking_uri !~ '/$'),
	experiment text NOT NULL CHECK (pg_catalog.length(experiment) BETWEEN 1 AND 500),
	registered_model text NOT NULL CHECK (registered_model <> ''),
	headers text[] NOT NULL DEFAULT '{}' CHECK (pg_catalog.array_ndims(headers) = 1),
	CONSTRAINT credentials_are_for_the_secrets_file CHECK (arima_ops.hides_credentials(tracking_uri, headers)));

COMMENT ON TABLE arima_ops.tracking_settings IS
'Where MLflow is: one row, or none if it is not used. Change it by arima_ops.configure_tracking';
COMMENT ON COLUMN arima_ops.tracking_settings.tracking_uri IS 'URL of the tracking server, without /api; its host must be in arima_ops.http_allowed_hosts';
COMMENT ON COLUMN arima_ops.tracking_settings.experiment IS 'experiment that the runs are in; made if it is not there';
COMMENT ON COLUMN arima_ops.tracking_settings.registered_model IS 'name of the registered model of a series: {series} and {database} are replaced';
COMMENT ON COLUMN arima_ops.tracking_settings.headers IS 'headers of each request; {secret:NAME} stands for a line of arima_ops.http_secrets_file';

CREATE TRIGGER check_address AFTER INSERT OR UPDATE OF tracking_uri, headers ON arima_ops.tracking_settings
FOR EACH ROW EXECUTE FUNCTION arima_ops.check_address();

/*
 * The key is made here and is a tag of the run there, so that a run whose creation
 * was not confirmed is found and not made twice.
 */
CREATE TABLE arima_ops.tracking_runs (
	series text NOT NULL,
	version int NOT NULL,
	key uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
	experiment_id text,
	run_id text,
	artifact_uri text,
	complete boolean NOT NULL DEFAULT false,
	model_name text,
	model_version text,
	PRIMARY KEY (series, version),
	FOREIGN KEY (series, version) REFERENCES arima_ops.models ON DELETE CASCADE);

COMMENT ON TABLE arima_ops.tracking_runs IS 'Where each version of a model is in MLflow: its run and its registered version';
COMMENT ON COLUMN arima_ops.tracking_runs.key IS 'tag arima_ops.outbox_id of the run';
COMMENT ON COLUMN arima_ops.tracking_runs.artifact_uri IS 'where MLflow keeps the files of the run';
COMMENT ON COLUMN arima_ops.tracking_runs.complete IS 'parameters and files are there, and the run is closed';
COMMENT ON COLUMN arima_ops.tracking_runs.model_name IS 'name of the registered model, once it is registered: champions are';
COMMENT ON COLUMN arima_ops.tracking_runs.model_version IS 'version of the registered model there, which is not the one here';

CREATE TABLE arima_ops.tracking_outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	series text NOT NULL,
	version int NOT NULL,
	stage text NOT NULL CHECK (stage IN ('candidate', 'champion', 'archived', 'rejected')),
	payload jsonb NOT NULL CHECK (pg_catalog.jsonb_typeof(payload) = 'object'),
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'parked', 'confirmed')),
	step text NOT NULL DEFAULT 'begin' CHECK (step IN ('begin', 'experiment', 'create_experiment', 'find_run', 'create_run',
		'log', 'put_predictions', 'put_model', 'put_flavor', 'finish', 'create_model', 'find_version', 'create_version',
		'alias', 'end')),
	attempts int NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	under_way_until timestamptz,
	last_error text,
	confirmed_at timestamptz,
	CHECK ((status = 'confirmed') = (confirmed_at IS NOT NULL)),
	FOREIGN KEY (series, version) REFERENCES arima_ops.models ON DELETE CASCADE);
CREATE INDEX tracking_outbox_waiting ON arima_ops.tracking_outbox (series, id) WHERE status = 'waiting';
CREATE INDEX tracking_outbox_version ON arima_ops.tracking_outbox (series, version, id);

COMMENT ON TABLE arima_ops.tracking_outbox IS
'What MLflow has to be told: one row for each change of a model''s status, written by the transaction that made it, sent by arima_ops.run_tracking() in this order for each series';
COMMENT ON COLUMN arima_ops.tracking_outbox.stage IS 'status of the model that is told';
COMMENT ON COLUMN arima_ops.tracking_outbox.payload IS 'run_name, params, metrics and tags of the run, as of then';
COMMENT ON COLUMN arima_ops.tracking_outbox.status IS
'waiting; parked: MLflow refuses it, see last_error, and arima_ops.retry_tracking() sends it again; confirmed: MLflow has it all';
COMMENT ON COLUMN arima_ops.tracking_outbox.step IS 'request that comes next';
COMMENT ON COLUMN arima_ops.tracking_outbox.attempts IS 'requests that failed';
COMMENT ON COLUMN arima_ops.tracking_outbox.next_attempt_at IS 'the next request is not sent before';
COMMENT ON COLUMN arima_ops.tracking_outbox.under_way_until IS 'a request has been sent; if nobody has taken in the answer until then, nobody will';
COMMENT ON COLUMN arima_ops.tracking_outbox.last_error IS 'what came of the last request that failed';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.tracking_settings', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.tracking_runs', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.tracking_outbox', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.tracking_outbox_id_seq', '');

/* ---- what is told ---- */

/* Orders of a specification as (p,d,q)(P,D,Q)[m], as MLflow's parameters. */
CREATE FUNCTION arima_ops.tracking_orders(spec text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('p', o[1], 'd', o[2], 'q', o[3],
		'P', coalesce(o[4], '0'), 'D', coalesce(o[5], '0'), 'Q', coalesce(o[6], '0'), 'm', coalesce(o[7], '1'))
	FROM regexp_match(spec, '[(]([0-9]+),([0-9]+),([0-9]+)[)](?:[(]([0-9]+),([0-9]+),([0-9]+)[)][[]([0-9]+)[]])?') AS o
$$;
COMMENT ON FUNCTION arima_ops.tracking_orders(text) IS 'p, d, q, P, D, Q and m of a specification';

/*
 * The members of a json object as MLflow takes them: names and texts within its
 * limits (250 and 500 characters), nothing that is null.  JSON has no NaN: such a
 * number is a text here, and so becomes a tag and not a metric.
 */
CREATE FUNCTION arima_ops.tracking_members(object jsonb, wanted text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_object_agg(left(regexp_replace(key, '[^A-Za-z0-9_. -]', '_', 'g'), 250),
		CASE WHEN wanted = 'number' THEN value ELSE to_jsonb(left(value #>> '{}', 500)) END), '{}')
	FROM (SELECT * FROM jsonb_each(object) WHERE key <> '' AND CASE wanted
			WHEN 'number' THEN jsonb_typeof(value) = 'number'
			WHEN 'text' THEN jsonb_typeof(value) = 'string'
			ELSE jsonb_typeof(value) <> 'null' END
		ORDER BY key LIMIT 80) AS m
$$;
COMMENT ON FUNCTION arima_ops.tracking_members(jsonb, text) IS
'The numbers (number), texts (text) or all members (any) of a json object, within the limits of MLflow';

/* The last evaluation of a version is the one that tells: where there was a gate, that. */
CREATE FUNCTION arima_ops.last_evaluation(series text, version int) RETURNS arima_ops.evaluations
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT e FROM arima_ops.evaluations AS e
	WHERE e.series = last_evaluation.series AND e.version = last_evaluation.version ORDER BY e.id DESC LIMIT 1
$$;
COMMENT ON FUNCTION arima_ops.last_evaluation(text, int) IS 'The newest evaluation of a version; NULL if there is none';

CREATE FUNCTION arima_ops.tracking_folds(series text, version int) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT E'session,actual,forecast,champion_forecast\n'
		|| string_agg(concat_ws(',', arima_ops.session_text(f.session), f.actual, f.forecast, coalesce(f.champion_forecast::text, '')), E'\n' ORDER BY f.session)
		|| E'\n'
	FROM arima_ops.last_evaluation(tracking_folds.series, tracking_folds.version) AS e,
		LATERAL unnest(e.sessions, e.actuals, e.forecasts, e.champion_forecasts) AS f (session, actual, forecast, champion_forecast)
$$;
COMMENT ON FUNCTION arima_ops.tracking_folds(text, int) IS
'The walk-forward predictions of a version as CSV; NULL if it was not evaluated';

/*
 * What MLflow is told of a version: parameters, which never change, metrics and
 * tags.  The names candidate_rmse, production_rmse and model_stage with its value
 * promoted are those of the scripts that this replaces.
 */
CREATE FUNCTION arima_ops.tracking_payload(series text, version int) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	told arima_ops.models;
	stats record;
	e arima_ops.evaluations := arima_ops.last_evaluation(series, version);
	params jsonb;
	numbers jsonb;
	tags jsonb;
BEGIN
	SELECT * INTO told FROM arima_ops.models AS m WHERE m.series = series AND m.version = version;
	stats := @extschema@.arima_stats(told.model);
	params := arima_ops.tracking_orders(told.spec) || jsonb_build_object('model_type', 'ARIMA', 'spec', told.spec,
		'method', stats.method, 'n', told.n, 'data_hash', told.data_hash,
		'trained_from', arima_ops.session_text(told.trained_from), 'trained_to', arima_ops.session_text(told.trained_to),
		'split_date', arima_ops.session_text(e.first_fold), 'forecast_horizon', coalesce(e.horizon, 1), 'n_folds', e.n_folds);
	numbers := jsonb_build_object('mae', e.mae, 'rmse', e.rmse, 'mape', e.mape, 'smape', e.smape, 'mase', e.mase,
		'naive_rmse', e.naive_rmse, 'theil_u', e.theil_u, 'reference_rmse', told.reference_rmse,
		'candidate_rmse', CASE WHEN e.champion_rmse IS NOT NULL THEN e.rmse END, 'production_rmse', e.champion_rmse,
		'production_mae', e.champion_mae, 'production_mape', e.champion_mape, 'gain', e.gain,
		'dm_statistic', e.dm_statistic, 'dm_p_value', e.dm_p_value,
		'sigma2', stats.sigma2, 'loglik', stats.loglik, 'aic', stats.aic, 'aicc', stats.aicc, 'bic', stats.bic);
	tags := jsonb_build_object('model_stage', CASE told.status WHEN 'champion' THEN 'promoted' ELSE told.status END,
		'arima_ops.database', current_database(), 'arima_ops.series', series, 'arima_ops.version', version,
		'champion_version', e.champion_version, 'promotion_policy', e.policy, 'reason', e.reason,
		'promoted_by', told.promoted_by, 'fit_status', stats.status);
	RETURN jsonb_build_object('run_name', format('%s v%s %s', left(series, 100), version, told.spec),
		'params', arima_ops.tracking_members(params, 'any'), 'metrics', arima_ops.tracking_members(numbers, 'number'),
		'tags', arima_ops.tracking_members(numbers, 'text') || arima_ops.tracking_members(tags, 'any'));
END $$;
COMMENT ON FUNCTION arima_ops.tracking_payload(text, int) IS
'What MLflow is told of a version of a model: run_name, params, metrics, tags';

/* ---- written down with what is told ---- */

CREATE FUNCTION arima_ops.enqueue_tracking(series text, version int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	stage text;
	told text;
BEGIN
	SELECT m.status INTO stage FROM arima_ops.models AS m WHERE m.series = series AND m.version = version;
	IF stage IS NULL OR NOT EXISTS (SELECT FROM arima_ops.tracking_settings) THEN
		RETURN;
	END IF;
	SELECT o.stage INTO told FROM arima_ops.tracking_outbox AS o
	WHERE o.series = series AND o.version = version ORDER BY o.id DESC LIMIT 1;
	IF told IS DISTINCT FROM stage THEN
		INSERT INTO arima_ops.tracking_runs (series, version) VALUES (series, version) ON CONFLICT DO NOTHING;
		INSERT INTO arima_ops.tracking_outbox (series, version, stage, payload)
		VALUES (series, version, stage, arima_ops.tracking_payload(series, version));
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.enqueue_tracking(text, int) IS
'Puts the present status of a model into the outbox for MLflow, unless that is what the outbox said last';

CREATE FUNCTION arima_ops.model_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM arima_ops.enqueue_tracking(NEW.series, NEW.version);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.model_changed() IS 'Puts the new status of a model into the outbox for MLflow (trigger, at commit)';

/*
 * At commit: then all that the transaction wrote about the model is there.  Models
 * that a restore brings back are not new.
 */
CREATE CONSTRAINT TRIGGER track_new_model AFTER INSERT ON arima_ops.models
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.created_at >= pg_catalog.now()) EXECUTE FUNCTION arima_ops.model_changed();
CREATE CONSTRAINT TRIGGER track_model AFTER UPDATE ON arima_ops.models
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION arima_ops.model_changed();

CREATE FUNCTION arima_ops.configure_tracking(
	tracking_uri text,
	experiment text DEFAULT 'ARIMA_PRODUCTION',
	registered_model text DEFAULT 'arima-{series}',
	headers text[] DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
	DELETE FROM arima_ops.tracking_settings;
	IF tracking_uri IS NULL THEN
		RETURN;
	END IF;
	IF tracking_uri !~ '^https?://[^/@?#[:space:]]+(/[^@?#[:space:]]*)?$' THEN
		RAISE EXCEPTION 'this is not the URL of a tracking server'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Write it as "https://mlflow.example.com" without user, query and /api.';
	END IF;
	IF NOT arima_ops.hides_credentials(tracking_uri, headers) THEN
		RAISE EXCEPTION 'credentials must not be stored in a table'
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Put them into the file of arima_ops.http_secrets_file and give ARRAY[''Authorization: Bearer {secret:NAME}''].';
	END IF;
	INSERT INTO arima_ops.tracking_settings (tracking_uri, experiment, registered_model, headers)
	VALUES (rtrim(tracking_uri, '/'), experiment, registered_model, headers);
	PERFORM arima_ops.enqueue_tracking(m.series, m.version) FROM (
		SELECT * FROM arima_ops.models AS a ORDER BY a.series, a.version) AS m;
END $$;
COMMENT ON FUNCTION arima_ops.configure_tracking(text, text, text, text[]) IS
'Where MLflow is: URL of the tracking server, experiment, name of the registered model of a series ({series} and {database} are replaced), headers, as in ARRAY[''Authorization: Bearer {secret:NAME}'']. Models that are there already are told as well. NULL as URL: nothing more is told, what is waiting stays';
