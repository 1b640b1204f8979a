/* ---- the jobs on pg_cron ---- */

CREATE FUNCTION arima_ops.cron_job_name(job text, database text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'arima_ops.' || job || CASE WHEN database = current_database() THEN '' ELSE '@' || database END
$$;
COMMENT ON FUNCTION arima_ops.cron_job_name(text, text) IS 'Name of a job in cron.job';

/* Settings that not everybody may see: the view leaves them out, where current_setting is an error. */
CREATE FUNCTION arima_ops.cron_settings(OUT loaded boolean, OUT home text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT s.home IS NOT NULL OR 'pg_cron' = ANY (regexp_split_to_array(s.libraries, '[[:space:]]*,[[:space:]]*')), s.home
	FROM (SELECT (SELECT setting FROM pg_settings WHERE name = 'cron.database_name') AS home,
			(SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS libraries) AS s
$$;
COMMENT ON FUNCTION arima_ops.cron_settings() IS 'Is pg_cron loaded in this server, and in which database does it live? NULL where the present user may not see it (pg_read_all_settings)';

/* What pg_cron can do here; an error with the way out if it is not here. */
CREATE FUNCTION arima_ops.require_cron() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_loaded boolean;
	home text;
BEGIN
	IF arima_ops.sees_cron() THEN
		RETURN;
	ELSIF EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_cron') THEN
		RAISE EXCEPTION 'permission denied for pg_cron'
			USING ERRCODE = 'insufficient_privilege', HINT = format('GRANT USAGE ON SCHEMA cron TO %I; the jobs that it schedules run with its rights.', current_user);
	END IF;
	SELECT c.loaded, coalesce(c.home, 'postgres') INTO is_loaded, home FROM arima_ops.cron_settings() AS c;
	IF is_loaded IS NULL THEN
		RAISE EXCEPTION 'pg_cron is not in this database'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'A superuser sees where it is, by SHOW cron.database_name, and what is to be done, by this function. Or run the jobs otherwise: each is one CALL (see the README).';
	ELSIF NOT is_loaded THEN
		RAISE EXCEPTION 'pg_cron is not loaded in this server'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Install pg_cron, set shared_preload_libraries = ''pg_cron'', restart, and CREATE EXTENSION pg_cron in the database that cron.database_name says. Or run the jobs otherwise: each is one CALL (see the README).';
	ELSIF home = current_database() THEN
		RAISE EXCEPTION 'pg_cron is not installed in this database'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CREATE EXTENSION pg_cron;';
	END IF;
	RAISE EXCEPTION 'pg_cron lives in another database, "%"', home
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = format('CREATE EXTENSION arima_ops in database "%s" too, and there: SELECT * FROM arima_ops.schedule(database => %L);',
				home, current_database());
END $$;
COMMENT ON FUNCTION arima_ops.require_cron() IS 'An error (55000, 42501) that says what to do, where pg_cron is not in this database or not for the present user';

CREATE FUNCTION arima_ops.schedule(
	etl text DEFAULT '30 1-21/4 * * *',
	monitoring text DEFAULT '45 1-21/4 * * *',
	retraining text DEFAULT '0 22 * * 1-5',
	tracking text DEFAULT '*/5 * * * *',
	retention text DEFAULT '0 3 * * 0',
	database text DEFAULT NULL)
RETURNS TABLE (job text, jobid bigint, schedule text, command text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	target text := coalesce(database, current_database());
	wanted record;
BEGIN
	PERFORM arima_ops.require_cron();
	IF NOT EXISTS (SELECT FROM pg_database AS d WHERE d.datname = target) THEN
		RAISE EXCEPTION 'there is no database "%"', target
			USING ERRCODE = 'invalid_catalog_name', HINT = 'Name a database in which arima_ops is installed.';
	ELSIF target <> current_database() AND to_regproc('cron.schedule_in_database') IS NULL THEN
		RAISE EXCEPTION 'this pg_cron cannot run jobs in another database'
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('It is version %s; 1.4 is the first that can.', (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'pg_cron')),
				HINT = format('Update pg_cron, or set cron.database_name = ''%s'', restart, and CREATE EXTENSION pg_cron there.', target);
	END IF;
	FOR wanted IN
		SELECT * FROM (VALUES ('etl', etl), ('monitoring', monitoring), ('retraining', retraining),
			('tracking', tracking), ('retention', retention)) AS j (name, at)
	LOOP
		job := arima_ops.cron_job_name(wanted.name, target);
		command := 'CALL arima_ops.run_' || wanted.name || '()';
		schedule := wanted.at;
		IF wanted.at IS NULL THEN
			PERFORM arima_ops.unschedule_job(job);
			CONTINUE;
		END IF;
		IF target = current_database() THEN
			EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO jobid USING job, schedule, command;
		ELSE
			EXECUTE 'SELECT cron.schedule_in_database($1, $2, $3, $4)' INTO jobid USING job, schedule, command, target;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION arima_ops.schedule(text, text, text, text, text, text) IS
'Puts the jobs on pg_cron, as the present user: a schedule for each (in the time zone of pg_cron, UTC by default), NULL for not at all. To be called in the database of pg_cron; database names another one in which the jobs are to run. Calling it again changes the schedules';

/* By number: unschedule by name differs between the versions of pg_cron. */
CREATE FUNCTION arima_ops.unschedule_job(wanted text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	removed int;
BEGIN
	EXECUTE 'SELECT count(cron.unschedule(j.jobid))::int FROM cron.job AS j WHERE j.jobname = $1 AND j.username = current_user'
	INTO removed USING wanted;
	RETURN removed;
END $$;
COMMENT ON FUNCTION arima_ops.unschedule_job(text) IS 'Takes a job of the present user off pg_cron; gives 1, or 0 if there is none of this name';

CREATE FUNCTION arima_ops.unschedule(database text DEFAULT NULL) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM arima_ops.require_cron();
	RETURN (SELECT sum(arima_ops.unschedule_job(arima_ops.cron_job_name(j, coalesce(database, current_database()))))
		FROM unnest(ARRAY['etl', 'monitoring', 'retraining', 'tracking', 'retention']) AS j);
END $$;
COMMENT ON FUNCTION arima_ops.unschedule(text) IS 'Takes the jobs of this or another database off pg_cron; gives how many there were';
