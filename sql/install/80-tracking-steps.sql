/* ---- MLflow: one entry of the outbox, request by request ---- */

/*
 * The steps of an entry.  Of a version that MLflow does not know:
 *
 *   experiment (create_experiment) find_run (create_run) log
 *   put_predictions put_model put_flavor finish
 *
 * of one that it knows: log; of a champion after that:
 *
 *   create_model find_version (create_version) alias
 *
 * or, once it is registered, alias alone.  Each step but two may be repeated without
 * harm.  These two, which make something new each time, are never what is stored
 * while they are under way, but the search before them: whatever happens to the
 * answer, what was made is looked for first.
 */

/* Tags or parameters from a json object. */
CREATE FUNCTION arima_ops.tracking_pairs(object jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('key', key, 'value', value) ORDER BY key), '[]') FROM jsonb_each_text(object)
$$;
COMMENT ON FUNCTION arima_ops.tracking_pairs(jsonb) IS 'The members of a json object as the key and value pairs of MLflow';

CREATE FUNCTION arima_ops.tracking_millis(moment timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT floor(extract(epoch FROM moment) * 1000)::bigint
$$;
COMMENT ON FUNCTION arima_ops.tracking_millis(timestamptz) IS 'A moment as MLflow has it: milliseconds since 1970';

/* Name of the registered model; MLflow takes any without / and :. */
CREATE FUNCTION arima_ops.tracking_model_name(template text, series text) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
	SELECT left(translate(replace(replace(template, '{database}', current_database()), '{series}', series), '/:', '__'), 250)
$$;
COMMENT ON FUNCTION arima_ops.tracking_model_name(text, text) IS 'Name of the registered model of a series in MLflow';

/* What log-batch is sent.  Parameters are final in MLflow, so they are sent once. */
CREATE FUNCTION arima_ops.tracking_batch(entry arima_ops.tracking_outbox, told arima_ops.tracking_runs) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_build_object('run_id', told.run_id,
		'params', CASE WHEN told.complete THEN '[]' ELSE arima_ops.tracking_pairs(entry.payload->'params') END,
		'tags', arima_ops.tracking_pairs(entry.payload->'tags'),
		'metrics', (SELECT coalesce(jsonb_agg(jsonb_build_object('key', key, 'value', value, 'step', 0,
				'timestamp', arima_ops.tracking_millis(entry.created_at)) ORDER BY key), '[]')
			FROM jsonb_each(entry.payload->'metrics')))
$$;
COMMENT ON FUNCTION arima_ops.tracking_batch(arima_ops.tracking_outbox, arima_ops.tracking_runs) IS
'Body of the request that logs parameters, metrics and tags of a run; repeating it changes nothing';

/* Makes our model.json a model for MLflow; json texts are YAML. */
CREATE FUNCTION arima_ops.tracking_flavor(entry arima_ops.tracking_outbox, told arima_ops.tracking_runs) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'artifact_path: model\nflavors:\n  arima_ops:\n    data: model.json\n    spec: %s\nrun_id: %s\nutc_time_created: %s\n',
		to_json(entry.payload#>>'{params,spec}'), to_json(told.run_id),
		to_json(to_char(entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')))
$$;
COMMENT ON FUNCTION arima_ops.tracking_flavor(arima_ops.tracking_outbox, arima_ops.tracking_runs) IS
'File MLmodel, which says what the model''s files are';

/* The file of a step that sends one. */
CREATE FUNCTION arima_ops.tracking_file(entry arima_ops.tracking_outbox, told arima_ops.tracking_runs, OUT path text, OUT content text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	CASE entry.step
		WHEN 'put_predictions' THEN
			path := 'predictions.csv';
			content := arima_ops.tracking_folds(entry.series, entry.version);
		WHEN 'put_model' THEN
			path := 'model/model.json';
			content := (SELECT m.model FROM arima_ops.models AS m WHERE m.series = entry.series AND m.version = entry.version);
		WHEN 'put_flavor' THEN
			path := 'model/MLmodel';
			content := arima_ops.tracking_flavor(entry, told);
	END CASE;
END $$;
COMMENT ON FUNCTION arima_ops.tracking_file(arima_ops.tracking_outbox, arima_ops.tracking_runs) IS
'Name and content of the file that an entry of the outbox sends next';

/* Method, path below api/2.0 and body of what an entry sends next. */
CREATE FUNCTION arima_ops.tracking_request(
	entry arima_ops.tracking_outbox,
	told arima_ops.tracking_runs,
	settings arima_ops.tracking_settings,
	OUT method text, OUT path text, OUT body text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	model_name text := arima_ops.tracking_model_name(settings.registered_model, entry.series);
	sent jsonb;
	file record;
BEGIN
	method := 'POST';
	CASE entry.step
		WHEN 'experiment' THEN
			method := 'GET';
			path := 'mlflow/experiments/get-by-name?experiment_name=' || arima_ops.url_encode(settings.experiment);
		WHEN 'create_experiment' THEN
			path := 'mlflow/experiments/create';
			sent := jsonb_build_object('name', settings.experiment);
		WHEN 'find_run' THEN
			path := 'mlflow/runs/search';
			sent := jsonb_build_object('experiment_ids', jsonb_build_array(told.experiment_id),
				'filter', format('tags."arima_ops.outbox_id" = ''%s''', told.key),
				'order_by', jsonb_build_array('attributes.start_time ASC'), 'max_results', 1);
		WHEN 'create_run' THEN
			path := 'mlflow/runs/create';
			sent := jsonb_build_object('experiment_id', told.experiment_id, 'run_name', entry.payload->>'run_name',
				'start_time', arima_ops.tracking_millis(entry.created_at),
				'tags', arima_ops.tracking_pairs(jsonb_build_object('arima_ops.outbox_id', told.key,
					'mlflow.source.name', 'arima_ops', 'mlflow.source.type', 'JOB')));
		WHEN 'log' THEN
			path := 'mlflow/runs/log-batch';
			sent := arima_ops.tracking_batch(entry, told);
		WHEN 'put_predictions', 'put_model', 'put_flavor' THEN
			method := 'PUT';
			file := arima_ops.tracking_file(entry, told);
			path := 'mlflow-artifacts/artifacts/'
				|| regexp_replace(told.artifact_uri, '^mlflow-artifacts:(//[^/]*)?/', '') || '/' || file.path;
			body := file.content;
		WHEN 'finish' THEN
			path := 'mlflow/runs/update';
			sent := jsonb_build_object('run_id', told.run_id, 'status', 'FINISHED',
				'end_time', arima_ops.tracking_millis(entry.created_at));
		WHEN 'create_model' THEN
			path := 'mlflow/registered-models/create';
			sent := jsonb_build_object('name', model_name);
		WHEN 'find_version' THEN
			method := 'GET';
			path := 'mlflow/model-versions/search?filter=' || arima_ops.url_encode(format('run_id = ''%s''', told.run_id));
		WHEN 'create_version' THEN
			path := 'mlflow/model-versions/create';
			sent := jsonb_build_object('name', model_name, 'source', format('runs:/%s/model', told.run_id), 'run_id', told.run_id,
				'tags', arima_ops.tracking_pairs(jsonb_build_object('arima_ops.series', entry.series, 'arima_ops.version', entry.version)));
		WHEN 'alias' THEN
			path := 'mlflow/registered-models/alias';
			sent := jsonb_build_object('name', told.model_name, 'alias', 'champion', 'version', told.model_version);
	END CASE;
	body := coalesce(body, sent::text);
END $$;
COMMENT ON FUNCTION arima_ops.tracking_request(arima_ops.tracking_outbox, arima_ops.tracking_runs, arima_ops.tracking_settings) IS
'What an entry of the outbox sends next: method, path below api/2.0, and body';

/*
 * The step after one that is done.  The alias is not given back to a version that
 * is no longer champion, where its entry comes after that of a later one, as when
 * it was parked.
 */
CREATE FUNCTION arima_ops.tracking_next(entry arima_ops.tracking_outbox, told arima_ops.tracking_runs) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	registers boolean := entry.stage = 'champion' AND NOT EXISTS (SELECT FROM arima_ops.tracking_outbox AS o
		WHERE o.series = entry.series AND o.stage = 'champion' AND o.id > entry.id AND o.status = 'confirmed');
	register text := CASE WHEN NOT registers THEN 'end' WHEN told.model_version IS NULL THEN 'create_model' ELSE 'alias' END;
BEGIN
	RETURN CASE entry.step
		WHEN 'begin' THEN CASE WHEN told.run_id IS NULL THEN 'experiment' ELSE 'log' END
		WHEN 'experiment' THEN 'find_run'
		WHEN 'create_experiment' THEN 'find_run'
		WHEN 'find_run' THEN 'log'
		WHEN 'create_run' THEN 'log'
		WHEN 'log' THEN CASE WHEN told.complete THEN register
			WHEN told.artifact_uri LIKE 'mlflow-artifacts:%' THEN 'put_predictions' ELSE 'finish' END
		WHEN 'put_predictions' THEN 'put_model'
		WHEN 'put_model' THEN 'put_flavor'
		WHEN 'put_flavor' THEN 'finish'
		WHEN 'finish' THEN register
		WHEN 'create_model' THEN 'find_version'
		WHEN 'find_version' THEN 'alias'
		WHEN 'create_version' THEN 'alias'
		ELSE 'end' END;
END $$;
COMMENT ON FUNCTION arima_ops.tracking_next(arima_ops.tracking_outbox, arima_ops.tracking_runs) IS
'The step of an entry of the outbox after the present one; end: none';

/* ---- what the answers say ---- */

/* An answer's json object; NULL if it is none, as the page of some proxy. */
CREATE FUNCTION arima_ops.tracking_object(body bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	object jsonb;
BEGIN
	object := arima_ops.answer_text(body)::jsonb;
	RETURN CASE WHEN jsonb_typeof(object) = 'object' THEN object END;
EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.tracking_object(bytea) IS 'The json object that an answer is; NULL if it is none';

/* Is it the answer to what was asked?  Another server's is not. */
CREATE FUNCTION arima_ops.tracking_understood(step text, status int, answer jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(status BETWEEN 200 AND 299 AND CASE step
		WHEN 'experiment' THEN answer#>>'{experiment,experiment_id}' IS NOT NULL
		WHEN 'create_experiment' THEN answer->>'experiment_id' IS NOT NULL
		WHEN 'create_run' THEN answer#>>'{run,info,run_id}' IS NOT NULL
		WHEN 'find_version' THEN answer IS NOT NULL AND coalesce(jsonb_typeof(answer->'model_versions'), 'array') = 'array'
		WHEN 'create_version' THEN answer#>>'{model_version,version}' IS NOT NULL AND answer#>>'{model_version,name}' IS NOT NULL
		ELSE answer IS NOT NULL END, false)
$$;
COMMENT ON FUNCTION arima_ops.tracking_understood(text, int, jsonb) IS 'Does the answer tell the success of the step?';

/* What an answer with success changes: what is known of the run, and the step. */
CREATE FUNCTION arima_ops.tracking_learn(
	INOUT entry arima_ops.tracking_outbox,
	INOUT told arima_ops.tracking_runs,
	settings arima_ops.tracking_settings,
	answer jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_run jsonb;
	found_version jsonb;
BEGIN
	CASE
		WHEN entry.step = 'experiment' AND answer#>>'{experiment,lifecycle_stage}' = 'deleted' THEN
			entry.status := 'parked';
			entry.last_error := format('experiment "%s" is deleted in MLflow: restore it there, or name another one', settings.experiment);
			RETURN;
		WHEN entry.step = 'experiment' THEN
			told.experiment_id := answer#>>'{experiment,experiment_id}';
		WHEN entry.step = 'create_experiment' THEN
			told.experiment_id := answer->>'experiment_id';
		WHEN entry.step IN ('find_run', 'create_run') THEN
			found_run := CASE entry.step WHEN 'find_run' THEN answer#>'{runs,0,info}' ELSE answer#>'{run,info}' END;
			IF found_run IS NULL THEN
				entry.step := 'create_run';
				RETURN;
			END IF;
			told.run_id := found_run->>'run_id';
			told.artifact_uri := found_run->>'artifact_uri';
		WHEN entry.step = 'finish' THEN
			told.complete := true;
		WHEN entry.step IN ('find_version', 'create_version') THEN
			SELECT v INTO found_version FROM jsonb_array_elements(answer->'model_versions') AS v
			WHERE v->>'name' = arima_ops.tracking_model_name(settings.registered_model, entry.series) AND v->>'version' ~ '^[0-9]{1,9}$'
			ORDER BY (v->>'version')::int LIMIT 1;
			found_version := coalesce(found_version, answer->'model_version');
			IF found_version IS NULL THEN
				entry.step := 'create_version';
				RETURN;
			END IF;
			told.model_name := found_version->>'name';
			told.model_version := found_version->>'version';
		ELSE
			NULL;
	END CASE;
	entry.step := arima_ops.tracking_next(entry, told);
END $$;
COMMENT ON FUNCTION arima_ops.tracking_learn(arima_ops.tracking_outbox, arima_ops.tracking_runs, arima_ops.tracking_settings, jsonb) IS
'An entry of the outbox, and what is known of its run, after an answer with success';

/*
 * What an answer without success changes.  What MLflow itself refuses is parked;
 * what may pass, or is for people to mend (credentials, URL), comes again: with a
 * pause of 10 s, doubled each time up to a quarter of an hour.
 */
CREATE FUNCTION arima_ops.tracking_fail(
	INOUT entry arima_ops.tracking_outbox,
	INOUT told arima_ops.tracking_runs,
	response arima_ops.http_response,
	answer jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	code text := answer->>'error_code';
BEGIN
	IF entry.step = 'experiment' AND code = 'RESOURCE_DOES_NOT_EXIST' THEN
		entry.step := 'create_experiment';
		RETURN;
	ELSIF entry.step = 'create_model' AND code = 'RESOURCE_ALREADY_EXISTS' THEN
		entry.step := 'find_version';
		RETURN;
	END IF;
	entry.attempts := entry.attempts + 1;
	entry.last_error := left(format('%s: %s', entry.step, CASE
		WHEN response.fault IS NOT NULL THEN response.fault || ', ' || response.message
		WHEN code IS NOT NULL THEN format('%s %s, %s', response.status, code, answer->>'message')
		ELSE format('status %s, and not an answer of MLflow: %s', response.status,
			coalesce(answer::text, encode(substr(response.body, 1, 200), 'escape'))) END), 1000);
	entry.next_attempt_at := clock_timestamp() + greatest(10 * 2 ^ least(entry.attempts - 1, 7), response.retry_after) * interval '1 s';
	entry.next_attempt_at := least(entry.next_attempt_at, clock_timestamp() + greatest(900, response.retry_after) * interval '1 s');
	IF code = 'RESOURCE_DOES_NOT_EXIST' AND entry.step IN ('create_model', 'find_version', 'create_version', 'alias') THEN
		-- somebody removed it there
		told.model_name := NULL;
		told.model_version := NULL;
		entry.step := 'begin';
	ELSIF code = 'RESOURCE_DOES_NOT_EXIST' THEN
		told := row(told.series, told.version, told.key, NULL, NULL, NULL, false, NULL, NULL);
		entry.step := 'begin';
	ELSIF entry.step = 'create_experiment' AND code = 'RESOURCE_ALREADY_EXISTS' THEN
		entry.step := 'experiment';
	ELSIF response.status = 413 OR (code IS NOT NULL AND response.status BETWEEN 400 AND 499
			AND response.status NOT IN (401, 403, 408, 429)) THEN
		entry.status := 'parked';
	END IF;
	entry.step := CASE entry.step WHEN 'create_run' THEN 'find_run' WHEN 'create_version' THEN 'find_version' ELSE entry.step END;
END $$;
COMMENT ON FUNCTION arima_ops.tracking_fail(arima_ops.tracking_outbox, arima_ops.tracking_runs, arima_ops.http_response, jsonb) IS
'An entry of the outbox, and what is known of its run, after an answer without success or none';
