/* ---- registry of models: versions and the champion ---- */

CREATE TABLE arima_ops.models (
	series text NOT NULL REFERENCES arima_ops.series,
	version int NOT NULL CHECK (version > 0),
	status text NOT NULL DEFAULT 'candidate' CHECK (status IN ('candidate', 'champion', 'archived', 'rejected')),
	spec text NOT NULL,
	model @extschema@.arima_model NOT NULL,
	trained_from timestamptz NOT NULL,
	trained_to timestamptz NOT NULL,
	n int NOT NULL CHECK (n > 0),
	data_hash text NOT NULL,
	reference_rmse float8 CHECK (reference_rmse >= 0 AND reference_rmse < 'Infinity'),
	adjustment float8 NOT NULL DEFAULT 1 CHECK (adjustment > 0 AND adjustment < 'Infinity'),
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	promoted_at timestamptz,
	champion_from timestamptz,
	retired_at timestamptz,
	PRIMARY KEY (series, version),
	CHECK (trained_from <= trained_to),
	CHECK ((status IN ('champion', 'archived')) = (promoted_at IS NOT NULL)),
	CHECK ((champion_from IS NULL) = (promoted_at IS NULL)),
	CHECK ((status = 'archived') = (retired_at IS NOT NULL)));

-- one champion at most; at least one is what needs_champion sees to
CREATE UNIQUE INDEX models_champion ON arima_ops.models (series) WHERE status = 'champion';

COMMENT ON TABLE arima_ops.models IS
'Every model ever trained for a series. Once a series has had a champion it always has exactly one';
COMMENT ON COLUMN arima_ops.models.status IS 'candidate; champion: answers requests; archived: was champion; rejected';
COMMENT ON COLUMN arima_ops.models.spec IS 'orders of the model: where the series says auto, those chosen';
COMMENT ON COLUMN arima_ops.models.trained_from IS 'session of the first value it was trained on';
COMMENT ON COLUMN arima_ops.models.trained_to IS 'session of the last value it was trained on';
COMMENT ON COLUMN arima_ops.models.n IS 'number of values it was trained on';
COMMENT ON COLUMN arima_ops.models.data_hash IS 'MD5 of these values with their sessions, as arima_ops.history_hash gives it';
COMMENT ON COLUMN arima_ops.models.reference_rmse IS 'walk-forward RMSE at training, one step ahead, in the prices of that time: what drift is measured against';
COMMENT ON COLUMN arima_ops.models.adjustment IS 'factor from the prices it was trained on to those of today, other than 1 after a split: values are divided by it, forecasts, and the reference RMSE, multiplied';
COMMENT ON COLUMN arima_ops.models.promoted_at IS 'when it last became champion';
COMMENT ON COLUMN arima_ops.models.champion_from IS 'last session known when it became champion, but for one of a wrong year that has been removed';
COMMENT ON COLUMN arima_ops.models.retired_at IS 'when it last ceased to be champion';

/* A version is what was trained: only its standing changes, and its price basis. */
CREATE FUNCTION arima_ops.model_is_final() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'version % of series "%" cannot be changed into another model', OLD.version, OLD.series
		USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Train a new version.';
END $$;
COMMENT ON FUNCTION arima_ops.model_is_final() IS 'Refuses to change what a version of a model is (trigger)';

CREATE TRIGGER model_is_final
BEFORE UPDATE OF series, version, spec, model, trained_from, trained_to, n, data_hash, created_at ON arima_ops.models
FOR EACH ROW WHEN ((OLD.series, OLD.version, OLD.spec, OLD.model::text, OLD.trained_from, OLD.trained_to, OLD.n, OLD.data_hash, OLD.created_at)
	IS DISTINCT FROM (NEW.series, NEW.version, NEW.spec, NEW.model::text, NEW.trained_from, NEW.trained_to, NEW.n, NEW.data_hash, NEW.created_at))
EXECUTE FUNCTION arima_ops.model_is_final();

/* At commit: a series that has had a champion has one. */
CREATE FUNCTION arima_ops.needs_champion() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM arima_ops.models WHERE series = OLD.series AND (promoted_at IS NOT NULL OR TG_OP = 'DELETE'))
		AND NOT EXISTS (SELECT FROM arima_ops.models WHERE series = OLD.series AND status = 'champion') THEN
		RAISE EXCEPTION 'series "%" would be left without a champion', OLD.series
			USING ERRCODE = 'integrity_constraint_violation',
				HINT = 'Put another version in its place by arima_ops.promote(series, version) or arima_ops.rollback(series).';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION arima_ops.needs_champion() IS 'Refuses to leave a series without champion (trigger, at commit)';

CREATE CONSTRAINT TRIGGER needs_champion AFTER UPDATE OR DELETE ON arima_ops.models
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (OLD.status = 'champion') EXECUTE FUNCTION arima_ops.needs_champion();

SELECT pg_catalog.pg_extension_config_dump('arima_ops.models', '');
