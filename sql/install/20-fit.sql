/* ---- fitting: functions of an array ---- */

CREATE FUNCTION @extschema@.arima_fit(
	y float8[],
	spec text DEFAULT 'auto',
	xreg float8[] DEFAULT NULL,
	options jsonb DEFAULT '{}')
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_fit'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION @extschema@.arima_fit(float8[], text, float8[], jsonb) IS
'Fits a model such as ''(1,1,1)'' or ''(0,1,1)(0,1,1)[12] with drift'' to a series in time order; ''auto'', or with a seasonal period ''auto[12]'', chooses it; ''(1,0,0)[52] with fourier(3)'' has 3 pairs of Fourier terms of a season of 52 as regressors. NULL and NaN are missing values. xreg: one row per value, one column per regressor. options: method ml (default), css or css-ml; lambda, the Box-Cox parameter from -5 to 5 or "auto", which is 0 to 2; for auto also max_p, max_q, max_P, max_Q, max_d, max_D, max_order, max_models, stepwise, approximation (shortcuts of the search), fourier (pairs of Fourier terms in place of a seasonal part, 0 for none, or "auto"), ic (aicc, aic, bic), time_budget_ms. IMMUTABLE although with time_budget_ms the choice depends on the speed of the machine: the status of the model says so where the budget ended it';

CREATE FUNCTION @extschema@.arima_refit(
	model @extschema@.arima_model,
	y float8[],
	xreg float8[] DEFAULT NULL)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_refit'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;

COMMENT ON FUNCTION @extschema@.arima_refit(@extschema@.arima_model, float8[], float8[]) IS
'Estimates the specification of a model anew on the series y, starting from the coefficients of the model';

CREATE FUNCTION @extschema@.arima_append(
	model @extschema@.arima_model,
	y float8[],
	xreg float8[] DEFAULT NULL)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_append'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION @extschema@.arima_append(@extschema@.arima_model, float8[], float8[]) IS
'Rolls a model forward over the values y that followed its series, without estimating it anew';

CREATE FUNCTION @extschema@.arima_residuals(
	model @extschema@.arima_model,
	y float8[],
	xreg float8[] DEFAULT NULL)
RETURNS float8[]
AS 'MODULE_PATHNAME', 'arima_ops_residuals'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION @extschema@.arima_residuals(@extschema@.arima_model, float8[], float8[]) IS
'One-step forecast errors of the series y under a model, which begins where that of the model does if this has a trend in levels or Fourier terms, each brought to the variance sigma2; NULL for missing values and for those that differencing uses up';

/* ---- fitting: aggregates ---- */

CREATE TYPE @extschema@.arima_fit_result AS (
	model @extschema@.arima_model,
	error text
);

COMMENT ON TYPE @extschema@.arima_fit_result IS
'What arima_try_fit gives: the model, or why there is none';
COMMENT ON COLUMN @extschema@.arima_fit_result.model IS 'The fitted model, or NULL';
COMMENT ON COLUMN @extschema@.arima_fit_result.error IS 'What is wrong with the series or the specification, or NULL';

CREATE FUNCTION @extschema@.arima_fit_accum(internal, float8, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_fit_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.arima_fit_accum(internal, float8, text) IS
'Transition function of the aggregates arima_fit and arima_try_fit without time';

CREATE FUNCTION @extschema@.arima_fit_timed_accum(internal, timestamptz, float8, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_fit_timed_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.arima_fit_timed_accum(internal, timestamptz, float8, text) IS
'Transition function of the aggregates arima_fit and arima_try_fit with time';

CREATE FUNCTION @extschema@.arima_fit_timed_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_fit_timed_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.arima_fit_timed_combine(internal, internal) IS
'Combine function of the aggregates arima_fit and arima_try_fit with time';

CREATE FUNCTION @extschema@.arima_fit_timed_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'arima_ops_fit_timed_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.arima_fit_timed_serialize(internal) IS
'Serialization function of the aggregates arima_fit and arima_try_fit with time';

CREATE FUNCTION @extschema@.arima_fit_timed_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_fit_timed_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.arima_fit_timed_deserialize(bytea, internal) IS
'Deserialization function of the aggregates arima_fit and arima_try_fit with time';

CREATE FUNCTION @extschema@.arima_fit_final(internal)
RETURNS @extschema@.arima_model
AS 'MODULE_PATHNAME', 'arima_ops_fit_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION @extschema@.arima_fit_final(internal) IS
'Final function of the aggregates arima_fit';

CREATE FUNCTION @extschema@.arima_try_fit_final(internal)
RETURNS @extschema@.arima_fit_result
AS 'MODULE_PATHNAME', 'arima_ops_try_fit_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;

COMMENT ON FUNCTION @extschema@.arima_try_fit_final(internal) IS
'Final function of the aggregates arima_try_fit';

CREATE AGGREGATE @extschema@.arima_fit(y float8, spec text) (
	SFUNC = @extschema@.arima_fit_accum,
	STYPE = internal,
	SSPACE = 10000,
	FINALFUNC = @extschema@.arima_fit_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_fit(float8, text) IS
'Fits a model to the values of a group in the order of the call: arima_fit(close, ''(1,1,1)'' ORDER BY day); ''auto'' and ''auto[12]'' choose one, with default options. NULL is a missing value';

CREATE AGGREGATE @extschema@.arima_fit(t timestamptz, y float8, spec text) (
	SFUNC = @extschema@.arima_fit_timed_accum,
	STYPE = internal,
	SSPACE = 20000,
	FINALFUNC = @extschema@.arima_fit_final,
	COMBINEFUNC = @extschema@.arima_fit_timed_combine,
	SERIALFUNC = @extschema@.arima_fit_timed_serialize,
	DESERIALFUNC = @extschema@.arima_fit_timed_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_fit(timestamptz, float8, text) IS
'Fits a model to the values of a group in the order of the time t, which must not repeat. NULL is a missing value';

CREATE AGGREGATE @extschema@.arima_try_fit(y float8, spec text) (
	SFUNC = @extschema@.arima_fit_accum,
	STYPE = internal,
	SSPACE = 10000,
	FINALFUNC = @extschema@.arima_try_fit_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_try_fit(float8, text) IS
'As the aggregate arima_fit(y, spec), but a series that cannot be fitted gives (NULL, reason) in place of an error';

CREATE AGGREGATE @extschema@.arima_try_fit(t timestamptz, y float8, spec text) (
	SFUNC = @extschema@.arima_fit_timed_accum,
	STYPE = internal,
	SSPACE = 20000,
	FINALFUNC = @extschema@.arima_try_fit_final,
	COMBINEFUNC = @extschema@.arima_fit_timed_combine,
	SERIALFUNC = @extschema@.arima_fit_timed_serialize,
	DESERIALFUNC = @extschema@.arima_fit_timed_deserialize,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_try_fit(timestamptz, float8, text) IS
'As the aggregate arima_fit(t, y, spec), but a series that cannot be fitted gives (NULL, reason) in place of an error';
