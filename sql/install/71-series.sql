/* ---- series: what is forecast, and by which policies ---- */

CREATE TABLE arima_ops.series (
	-- . and .. cannot be part of a web page's address
	name text PRIMARY KEY CHECK (pg_catalog.length(name) BETWEEN 1 AND 200 AND name NOT IN ('.', '..') AND name ~ '[^[:space:]]'),
	spec text NOT NULL DEFAULT 'auto',
	options jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(options) = 'object'),
	active boolean NOT NULL DEFAULT true,
	-- where its values come from
	provider text,
	symbol text,
	calendar text NOT NULL DEFAULT 'weekdays' CHECK (calendar IN ('weekdays', 'daily', 'weekly', 'monthly', 'quarterly', 'none')),
	stale_after int NOT NULL DEFAULT 3 CHECK (stale_after > 0),
	-- what a request may bring
	min_recent int NOT NULL DEFAULT 10 CHECK (min_recent > 0),
	max_recent int NOT NULL DEFAULT 60 CHECK (max_recent <= 1000000),
	-- drift
	drift_policy text NOT NULL DEFAULT 'rolling_rmse' CHECK (drift_policy IN ('rolling_rmse', 'cusum', 'none')),
	drift_window int NOT NULL DEFAULT 14 CHECK (drift_window BETWEEN 1 AND 10000),
	drift_multiplier float8 NOT NULL DEFAULT 1.5 CHECK (drift_multiplier > 0 AND drift_multiplier < 'Infinity'),
	drift_consecutive int NOT NULL DEFAULT 3 CHECK (drift_consecutive BETWEEN 1 AND 10000),
	drift_min_labels int NOT NULL DEFAULT 14 CHECK (drift_min_labels > 0),
	drift_recovery float8 NOT NULL DEFAULT 1.25 CHECK (drift_recovery > 0),
	drift_false_alarms float8 NOT NULL DEFAULT 0.01 CHECK (drift_false_alarms BETWEEN 0.000001 AND 0.5),
	-- training and promotion
	train_window int CHECK (train_window BETWEEN 20 AND 10000000),
	backtest_length int NOT NULL DEFAULT 250 CHECK (backtest_length BETWEEN 10 AND 100000),
	backtest_refit_every int NOT NULL DEFAULT 1 CHECK (backtest_refit_every >= 0),
	retrain_every int NOT NULL DEFAULT 20 CHECK (retrain_every > 0),
	promotion_policy text NOT NULL DEFAULT 'significant' CHECK (promotion_policy IN ('rmse_only', 'significant')),
	promotion_min_gain float8 NOT NULL DEFAULT 0.01 CHECK (promotion_min_gain >= 0 AND promotion_min_gain < 1),
	promotion_alpha float8 NOT NULL DEFAULT 0.05 CHECK (promotion_alpha > 0 AND promotion_alpha < 1),
	cooldown int NOT NULL DEFAULT 5 CHECK (cooldown >= 0),
	probation int NOT NULL DEFAULT 20 CHECK (probation >= 0),
	-- how long what has been is kept
	retention interval CHECK (retention > interval '0' AND retention <= interval '1000 years'),
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CONSTRAINT recent_bounds CHECK (min_recent <= max_recent),
	CONSTRAINT drift_min_labels_within_window CHECK (drift_min_labels <= drift_window),
	CONSTRAINT drift_recovery_below_multiplier CHECK (drift_recovery <= drift_multiplier),
	CONSTRAINT cusum_needs_multiplier CHECK (drift_policy <> 'cusum' OR drift_multiplier > 1 AND drift_multiplier <= 1000000),
	CONSTRAINT provider_needs_symbol CHECK (provider IS NULL OR symbol IS NOT NULL));

COMMENT ON TABLE arima_ops.series IS
'What is forecast: one row a series, with the specification of its models and its policies. arima_ops.set_policy changes them; several series in the order of their names, as the jobs lock them: an UPDATE of several may end in a deadlock with one';
COMMENT ON COLUMN arima_ops.series.spec IS 'model specification, as for arima_fit, that training uses';
COMMENT ON COLUMN arima_ops.series.options IS 'options of arima_fit';
COMMENT ON COLUMN arima_ops.series.active IS 'false: the jobs leave the series alone';
COMMENT ON COLUMN arima_ops.series.provider IS 'a row of arima_ops.providers; NULL: values are recorded from outside';
COMMENT ON COLUMN arima_ops.series.symbol IS 'name of the series at its provider';
COMMENT ON COLUMN arima_ops.series.calendar IS 'when values are expected: on weekdays or daily, weekly, monthly, quarterly, or none; used to tell stale series only; a session without value does not exist for the forecasts';
COMMENT ON COLUMN arima_ops.series.stale_after IS 'sessions of the calendar (weekdays, days, weeks, months, quarters) without a value after which the series counts as stale';
COMMENT ON COLUMN arima_ops.series.min_recent IS 'fewest recent values that a request over REST may bring';
COMMENT ON COLUMN arima_ops.series.max_recent IS 'most recent values that a request over REST may bring';
COMMENT ON COLUMN arima_ops.series.drift_policy IS 'rolling_rmse: rolling RMSE above a multiple of the champion''s for several sessions; cusum: sum of the log-likelihood ratios of errors drift_multiplier times as large against unchanged ones, with few false alarms; none';
COMMENT ON COLUMN arima_ops.series.drift_window IS 'labelled sessions of the rolling RMSE';
COMMENT ON COLUMN arima_ops.series.drift_multiplier IS 'the threshold is so many times the champion''s reference RMSE; cusum: the change that is looked for';
COMMENT ON COLUMN arima_ops.series.drift_consecutive IS 'labelled sessions in a row above the threshold that make drift (rolling_rmse)';
COMMENT ON COLUMN arima_ops.series.drift_min_labels IS 'labelled sessions before which nothing is said';
COMMENT ON COLUMN arima_ops.series.drift_recovery IS 'drift ends once the rolling RMSE is below so many times the reference';
COMMENT ON COLUMN arima_ops.series.drift_false_alarms IS 'cusum: wanted share of unchanged series with an alarm within 250 sessions';
COMMENT ON COLUMN arima_ops.series.train_window IS 'models are trained on the last so many values; NULL: on all';
COMMENT ON COLUMN arima_ops.series.backtest_length IS 'walk-forward folds, of one session each, that models are judged by';
COMMENT ON COLUMN arima_ops.series.backtest_refit_every IS 'folds from one estimate to the next; 0: one for all';
COMMENT ON COLUMN arima_ops.series.retrain_every IS 'new sessions after which a model is trained anew although nothing drifted';
COMMENT ON COLUMN arima_ops.series.promotion_policy IS 'rmse_only: the candidate''s RMSE is smaller; significant: by promotion_min_gain at least, with a Diebold-Mariano test at promotion_alpha, and not worse than the naive forecast';
COMMENT ON COLUMN arima_ops.series.promotion_min_gain IS 'least relative gain in RMSE';
COMMENT ON COLUMN arima_ops.series.promotion_alpha IS 'level of the one-sided Diebold-Mariano test';
COMMENT ON COLUMN arima_ops.series.cooldown IS 'sessions after a promotion in which there is no other, and between trainings while drift lasts, unless forced';
COMMENT ON COLUMN arima_ops.series.probation IS 'labelled sessions after a promotion in which drift brings the former champion back';
COMMENT ON COLUMN arima_ops.series.created_at IS 'events before it are of another series that had this name';
COMMENT ON COLUMN arima_ops.series.retention IS 'how long scored predictions, drift checks and former values are kept, and predictions that wait for their value once the series has ended: it is not active, or has been without values for a year more, and for twice as long as between its last two; NULL: for ever';

/*
 * Is the specification understood?  A constant series is fitted by any model at
 * once, and long enough for every one that arima_fit takes.
 */
CREATE FUNCTION arima_ops.check_spec() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM @extschema@.arima_fit(array_fill(1::float8, ARRAY[2000]), NEW.spec, NULL::float8[], NEW.options);
	RETURN NEW;
END $$;
COMMENT ON FUNCTION arima_ops.check_spec() IS 'Refuses a series whose specification or options arima_fit does not take (trigger)';

CREATE TRIGGER check_spec BEFORE INSERT OR UPDATE OF spec, options ON arima_ops.series
FOR EACH ROW EXECUTE FUNCTION arima_ops.check_spec();

CREATE FUNCTION arima_ops.name_is_final() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'a series cannot be renamed'
		USING ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = format('"%s" was to become "%s".', OLD.name, NEW.name),
			HINT = 'Its events keep the name. Create a series of the new name and copy the actual values.';
END $$;
COMMENT ON FUNCTION arima_ops.name_is_final() IS 'Refuses to rename a series (trigger)';

CREATE TRIGGER name_is_final BEFORE UPDATE OF name ON arima_ops.series
FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION arima_ops.name_is_final();

CREATE FUNCTION arima_ops.sees_newest(series text[]) RETURNS boolean
AS 'MODULE_PATHNAME', 'arima_ops_sees_newest'
LANGUAGE C STRICT SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION arima_ops.sees_newest(text[]) IS
'Does the transaction see what others have committed of values, labels, checks and models of these series? At READ COMMITTED always';

/*
 * Locks a series, or all in the order of their names, until the end of the
 * transaction.  Whatever changes actual values, labels or the champion takes this
 * lock first, so that none of them sees the half of another.  A prediction does
 * not: it only refers to the series, which this lock allows.  Only a restatement of
 * prices keeps predictions waiting, by lock_basis.  A transaction with a snapshot from
 * before the change that it has waited for would label by values of then: an error.
 */
CREATE FUNCTION arima_ops.lock_series(wanted text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM arima_ops.series AS s WHERE s.name = ANY (wanted) ORDER BY s.name FOR NO KEY UPDATE;
	IF NOT arima_ops.sees_newest(wanted) THEN
		RAISE EXCEPTION 'could not serialize access: a series was changed after the transaction''s snapshot'
			USING ERRCODE = 'serialization_failure', HINT = 'Run the transaction again; at READ COMMITTED there is no need to.';
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.lock_series(text[]) IS
'Keeps others from changing the actual values, labels and models of these series until the end of the transaction; predictions go on';

CREATE FUNCTION arima_ops.lock_basis(series text, alone boolean) RETURNS void
AS 'MODULE_PATHNAME', 'arima_ops_lock_basis'
LANGUAGE C STRICT;
COMMENT ON FUNCTION arima_ops.lock_basis(text, boolean) IS
'Keeps the prices of a series on their basis until the end of the transaction, for a prediction made of them; alone: waits for the predictions under way and keeps others waiting, to restate the prices or drop the series';

/* The row of a series, or an error that says what to do. */
CREATE FUNCTION arima_ops.get_series(wanted text) RETURNS arima_ops.series
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_series arima_ops.series;
BEGIN
	SELECT * INTO found_series FROM arima_ops.series AS s WHERE s.name = wanted;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no series "%"', left(wanted, 200)
			USING ERRCODE = 'undefined_object', HINT = 'Create it by arima_ops.create_series(name, spec); SELECT name FROM arima_ops.series shows those that there are.';
	END IF;
	RETURN found_series;
END $$;
COMMENT ON FUNCTION arima_ops.get_series(text) IS 'The row of a series; an error (42704) if there is none of this name';

/* What is wrong with policies that the table does not take: the rule that they break, or the types that their columns have. */
CREATE FUNCTION arima_ops.refuse_policy(series text, policy jsonb, code text, message text, rule text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text := (SELECT s.name FROM arima_ops.series AS s WHERE s.is_default);
	definition text := (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint AS c WHERE c.conrelid = 'arima_ops.series'::regclass AND c.conname = rule);
	-- the column that is one of some words, of such a rule
	choice text := substring(definition FROM '^CHECK [(][(]([a-z_]+) = ANY [(]ARRAY[[]');
BEGIN
	IF rule = 'series_default' AND other IS NOT NULL THEN
		RAISE EXCEPTION 'series "%" cannot be the default: that is "%"', series, other
			USING ERRCODE = code, HINT = format('There is one at most; first SELECT arima_ops.set_policy(%L, ''{"is_default": false}'');', other);
	END IF;
	RAISE EXCEPTION 'series "%" cannot have this policy: %', series, CASE WHEN rule <> '' THEN format('it breaks the rule "%s"', rule) ELSE message END
		USING ERRCODE = code, DETAIL = coalesce(
			'The rule is ' || definition || '.',
			(SELECT format('Columns and their types: %s.', string_agg(format('%s %s', a.attname, format_type(a.atttypid, NULL)), ', ' ORDER BY a.attnum))
			FROM pg_attribute AS a WHERE a.attrelid = 'arima_ops.series'::regclass AND a.attnum > 0 AND policy ? a.attname)),
			HINT = CASE WHEN choice IS NOT NULL THEN (SELECT format('%s is one of %s.', choice, string_agg(word[1], ', ')) FROM regexp_matches(definition, '''([a-z_]+)''::text', 'g') AS word)
				ELSE 'The comments of the columns of arima_ops.series say what each means; those that one rule names are set together, as in ''{"drift_window": 10, "drift_min_labels": 10}''.' END;
END $$;
COMMENT ON FUNCTION arima_ops.refuse_policy(text, jsonb, text, text, text) IS 'The error of policies that arima_ops.series does not take';

CREATE FUNCTION arima_ops.set_policy(series text, policy jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	wrong text;
	columns text;
	rule text;
	hint text;
BEGIN
	PERFORM arima_ops.get_series(series);
	IF jsonb_typeof(policy) <> 'object' THEN
		RAISE EXCEPTION 'policies are a json object, not %', jsonb_typeof(policy)
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Write them as ''{"drift_window": 20, "promotion_policy": "rmse_only"}''.';
	END IF;
	SELECT key INTO wrong FROM jsonb_object_keys(policy) AS key
	WHERE key IN ('name', 'created_at') OR NOT EXISTS (SELECT FROM pg_attribute AS a
			WHERE a.attrelid = 'arima_ops.series'::regclass AND a.attname = key AND a.attnum > 0 AND NOT a.attisdropped);
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'unknown policy "%"', wrong
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Policies are columns of arima_ops.series, such as "drift_window" or "promotion_policy".';
	END IF;
	SELECT string_agg(format('%1$I = p.%1$I', key), ', ') INTO columns FROM jsonb_object_keys(policy) AS key;
	IF columns IS NOT NULL THEN
		EXECUTE format('UPDATE arima_ops.series AS s SET %s FROM jsonb_populate_record(NULL::arima_ops.series, $1) AS p WHERE s.name = $2', columns)
		USING policy, series;
	END IF;
EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, hint = PG_EXCEPTION_HINT;
	IF hint <> '' THEN
		RAISE;
	END IF;
	PERFORM arima_ops.refuse_policy(series, policy, SQLSTATE, SQLERRM, rule);
END $$;
COMMENT ON FUNCTION arima_ops.set_policy(text, jsonb) IS
'Sets policies of a series: a json object of columns of arima_ops.series';

/* Who has asked without a name until now is to hear of it before it fails. */
CREATE FUNCTION arima_ops.tell_of_second(series text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	others text[] := (SELECT array_agg(s.name) FROM arima_ops.series AS s WHERE s.active AND s.name <> series);
BEGIN
	IF cardinality(others) = 1 AND (SELECT s.active FROM arima_ops.series AS s WHERE s.name = series)
		AND NOT EXISTS (SELECT FROM arima_ops.series AS s WHERE s.is_default) THEN
		RAISE NOTICE 'there are two series now, and none is the default'
			USING DETAIL = 'Requests over REST that name no series are refused once both have a model.',
				HINT = format('SELECT arima_ops.set_policy(%L, ''{"is_default": true}''); makes one the default.', others[1]);
	END IF;
END $$;
COMMENT ON FUNCTION arima_ops.tell_of_second(text) IS 'Tells that requests which name no series will be refused, where a new series is the second active one and none is the default';

CREATE FUNCTION arima_ops.create_series(
	name text,
	spec text DEFAULT 'auto',
	options jsonb DEFAULT '{}',
	provider text DEFAULT NULL,
	symbol text DEFAULT NULL,
	calendar text DEFAULT 'weekdays',
	policy jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF coalesce(length(name), 0) NOT BETWEEN 1 AND 200 OR name IN ('.', '..') OR name !~ '[^[:space:]]' THEN
		RAISE EXCEPTION 'this is no name of a series: %', coalesce(quote_literal(left(name, 200)), 'NULL')
			USING ERRCODE = 'invalid_parameter_value', HINT = 'A name has from 1 to 200 characters, one at least that is not blank; "." and ".." cannot be part of a web page''s address.';
	END IF;
	IF EXISTS (SELECT FROM arima_ops.series AS s WHERE s.name = create_series.name) THEN
		RAISE EXCEPTION 'there is a series "%" already', name
			USING ERRCODE = 'duplicate_object', HINT = 'arima_ops.set_policy(series, policy) changes one, arima_ops.drop_series(series) removes it.';
	END IF;
	INSERT INTO arima_ops.series (name, spec, options) VALUES (name, spec, options);
	PERFORM arima_ops.set_policy(name, jsonb_build_object('provider', provider, 'symbol', coalesce(symbol, CASE WHEN provider IS NOT NULL THEN name END), 'calendar', calendar));
	PERFORM arima_ops.set_policy(name, policy);
	PERFORM arima_ops.record_event('series', name, NULL, 'series created', jsonb_build_object('spec', spec));
	PERFORM arima_ops.tell_of_second(name);
END $$;
COMMENT ON FUNCTION arima_ops.create_series(text, text, jsonb, text, text, text, jsonb) IS
'A new series: its name, the specification and options of its models, where its values come from (provider and the symbol there), the calendar of its sessions, and policies as for arima_ops.set_policy';

SELECT pg_catalog.pg_extension_config_dump('arima_ops.series', '');
