/* ---- jobs: who runs, how far it is, how it ended ---- */

CREATE TABLE arima_ops.job_runs (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	job text NOT NULL CHECK (job ~ '^[a-z_]+$'),
	started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished_at timestamptz,
	status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'succeeded', 'failed', 'abandoned')),
	done bigint NOT NULL DEFAULT 0,
	total bigint,
	error text,
	pid int NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
	CHECK ((status = 'running') = (finished_at IS NULL)));
CREATE INDEX job_runs_job ON arima_ops.job_runs (job, id);
-- whoever begins closes what a dead run left open, so that there is one at most
CREATE UNIQUE INDEX job_runs_running ON arima_ops.job_runs (job) WHERE status = 'running';

COMMENT ON TABLE arima_ops.job_runs IS 'Runs of the jobs: when, how far, with what outcome';
COMMENT ON COLUMN arima_ops.job_runs.status IS
'running; succeeded; failed: some of it did, see error; abandoned: the job was cancelled, failed or lost its server process, which the next run then found';
COMMENT ON COLUMN arima_ops.job_runs.done IS 'how many of total are done';
COMMENT ON COLUMN arima_ops.job_runs.pid IS 'server process';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.job_runs', '');
SELECT pg_catalog.pg_extension_config_dump('arima_ops.job_runs_id_seq', '');

/*
 * A job commits as it goes, and waits for networks between two transactions, so the lock
 * that keeps a second run away is one of the session: begin_job takes it, end_job gives it
 * back, and so does an error or a cancelled CALL.  It is not one of those that anybody may
 * take, and so keep every run away.
 *
 * Each transaction but the first is at READ COMMITTED, whatever the default: a series
 * that somebody has changed since the snapshot would be an error otherwise.  After a CALL
 * with results there is a snapshot already, and so a COMMIT before that.
 */
CREATE FUNCTION arima_ops.lock_job(job text) RETURNS boolean
AS 'MODULE_PATHNAME', 'arima_ops_lock_job'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION arima_ops.lock_job(text) IS 'Keeps other runs of a job away until arima_ops.unlock_job, an error, or the end of the session; false: there is one';

CREATE FUNCTION arima_ops.unlock_job(job text) RETURNS void
AS 'MODULE_PATHNAME', 'arima_ops_unlock_job'
LANGUAGE C VOLATILE;
COMMENT ON FUNCTION arima_ops.unlock_job(text) IS 'Lets other runs of a job begin, NULL: of any, if it is this session that keeps them away';

CREATE FUNCTION arima_ops.check_transaction() RETURNS void
AS 'MODULE_PATHNAME', 'arima_ops_check_transaction'
LANGUAGE C VOLATILE;
COMMENT ON FUNCTION arima_ops.check_transaction() IS 'An error within a transaction block, where a procedure that commits could not, and in a read-only transaction, as on a standby, where it could record nothing';

CREATE FUNCTION arima_ops.begin_job(job text, batch int DEFAULT 1) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	run bigint;
BEGIN
	PERFORM arima_ops.check_transaction();
	IF batch IS NULL OR batch < 1 THEN
		RAISE EXCEPTION 'a batch of % is none', coalesce(batch::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give how many series a transaction may hold, 1 at least.';
	END IF;
	IF NOT arima_ops.lock_job(job) THEN
		RAISE NOTICE 'job "%" is running already', job;
		RETURN NULL;
	END IF;
	UPDATE arima_ops.job_runs AS r SET status = 'abandoned', finished_at = clock_timestamp()
	WHERE r.job = job AND r.status = 'running';
	INSERT INTO arima_ops.job_runs (job) VALUES (job) RETURNING id INTO run;
	RETURN run;
END $$;
COMMENT ON FUNCTION arima_ops.begin_job(text, int) IS
'Begins a run of a job, so many series a batch, and gives its id; NULL, with a notice, if another run is active. A run that its server process did not survive is closed as abandoned';

CREATE FUNCTION arima_ops.job_progress(run bigint, done bigint, total bigint DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	name text;
BEGIN
	UPDATE arima_ops.job_runs AS r SET done = done, total = coalesce(total, r.total)
	WHERE r.id = run AND r.status = 'running';
	IF FOUND THEN
		RETURN true;
	END IF;
	SELECT r.job INTO name FROM arima_ops.job_runs AS r WHERE r.id = run;
	-- whose row is gone has no name any more
	PERFORM arima_ops.unlock_job(name);
	RAISE NOTICE '%: it ends here', coalesce('this run of job "' || name || '" has been closed', 'this run has been removed from arima_ops.job_runs');
	RETURN false;
END $$;
COMMENT ON FUNCTION arima_ops.job_progress(bigint, bigint, bigint) IS
'To be called first in each transaction of a job: notes how far it is. False: somebody has closed the run in arima_ops.job_runs, or removed it there, and it must end';

CREATE FUNCTION arima_ops.end_job(run bigint, status text DEFAULT 'succeeded', error text DEFAULT NULL) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE arima_ops.job_runs AS r SET status = end_job.status, error = end_job.error, finished_at = clock_timestamp()
	WHERE r.id = end_job.run AND r.status = 'running';
	SELECT arima_ops.unlock_job((SELECT r.job FROM arima_ops.job_runs AS r WHERE r.id = end_job.run))
$$;
COMMENT ON FUNCTION arima_ops.end_job(bigint, text, text) IS 'Ends a run of a job: succeeded, or failed with what went wrong';
