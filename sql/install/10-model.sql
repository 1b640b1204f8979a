/* ---- the type arima_model ---- */

CREATE TYPE @extschema@.arima_model;

CREATE FUNCTION @extschema@.arima_model_in(cstring)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_model_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION @extschema@.arima_model_in(cstring) IS
'Input function of arima_model: one JSON object, fully validated';

CREATE FUNCTION @extschema@.arima_model_out(@extschema@.arima_model)
RETURNS cstring
AS 'MODULE_PATHNAME', 'arima_ops_model_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION @extschema@.arima_model_out(@extschema@.arima_model) IS
'Output function of arima_model: one JSON object, from which the same model is read back to the bit';

CREATE FUNCTION @extschema@.arima_model_recv(internal)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_model_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_model_recv(internal) IS
'Binary input function of arima_model, fully validating';

CREATE FUNCTION @extschema@.arima_model_send(@extschema@.arima_model)
RETURNS bytea
AS 'MODULE_PATHNAME', 'arima_ops_model_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_model_send(@extschema@.arima_model) IS
'Binary output function of arima_model';

CREATE TYPE @extschema@.arima_model (
	INPUT = @extschema@.arima_model_in,
	OUTPUT = @extschema@.arima_model_out,
	RECEIVE = @extschema@.arima_model_recv,
	SEND = @extschema@.arima_model_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE @extschema@.arima_model IS
'A fitted ARIMA model: orders, coefficients with their covariance, and the state of the filter after the last value';

CREATE FUNCTION @extschema@.arima_model_to_json(@extschema@.arima_model)
RETURNS json
AS 'MODULE_PATHNAME', 'arima_ops_model_to_json'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION @extschema@.arima_model_to_json(@extschema@.arima_model) IS
'The model as json, as its text form is';

CREATE FUNCTION @extschema@.arima_model_to_jsonb(@extschema@.arima_model)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'arima_ops_model_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION @extschema@.arima_model_to_jsonb(@extschema@.arima_model) IS
'The model as jsonb';

CREATE FUNCTION @extschema@.arima_model_from_json(json)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_model_from_json'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION @extschema@.arima_model_from_json(json) IS
'The model that a json describes, fully validated';

CREATE FUNCTION @extschema@.arima_model_from_jsonb(jsonb)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_model_from_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION @extschema@.arima_model_from_jsonb(jsonb) IS
'The model that a jsonb describes, fully validated';

CREATE CAST (@extschema@.arima_model AS json)
	WITH FUNCTION @extschema@.arima_model_to_json(@extschema@.arima_model) AS ASSIGNMENT;
CREATE CAST (@extschema@.arima_model AS jsonb)
	WITH FUNCTION @extschema@.arima_model_to_jsonb(@extschema@.arima_model) AS ASSIGNMENT;
CREATE CAST (json AS @extschema@.arima_model)
	WITH FUNCTION @extschema@.arima_model_from_json(json);
CREATE CAST (jsonb AS @extschema@.arima_model)
	WITH FUNCTION @extschema@.arima_model_from_jsonb(jsonb);

COMMENT ON CAST (@extschema@.arima_model AS json) IS 'The text form of the model';
COMMENT ON CAST (@extschema@.arima_model AS jsonb) IS 'The text form of the model';
COMMENT ON CAST (json AS @extschema@.arima_model) IS 'The model from its text form';
COMMENT ON CAST (jsonb AS @extschema@.arima_model) IS 'The model from its text form';

/* ---- reading a model ---- */

CREATE FUNCTION @extschema@.arima_coefficients(model @extschema@.arima_model)
RETURNS TABLE (term text, estimate float8, std_error float8, z float8, p_value float8)
AS 'MODULE_PATHNAME', 'arima_ops_coefficients'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5 ROWS 5;

COMMENT ON FUNCTION @extschema@.arima_coefficients(@extschema@.arima_model) IS
'The coefficients of a model in the order ar, ma, sar, sma, mean, drift, xreg, each with its standard error, z and two-sided p-value; NULL where unknown';

CREATE FUNCTION @extschema@.arima_stats(
	model @extschema@.arima_model,
	OUT spec text,
	OUT n bigint,
	OUT n_missing bigint,
	OUT sigma2 float8,
	OUT loglik float8,
	OUT aic float8,
	OUT aicc float8,
	OUT bic float8,
	OUT converged boolean,
	OUT status text,
	OUT n_used bigint,
	OUT method text,
	OUT lambda float8,
	OUT iterations int,
	OUT intervals text,
	OUT bias_adjust boolean)
RETURNS record
AS 'MODULE_PATHNAME', 'arima_ops_stats'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_stats(@extschema@.arima_model) IS
'One row on the model as a whole: specification, length of the series, innovations variance, log-likelihood, information criteria, in status "ok" or what is to be said against the estimate, and what kind of intervals its forecasts have; NULL where undefined';

CREATE FUNCTION @extschema@.arima_summary(model @extschema@.arima_model)
RETURNS text
AS 'MODULE_PATHNAME', 'arima_ops_summary'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION @extschema@.arima_summary(@extschema@.arima_model) IS
'A printout of the model for a reader';
