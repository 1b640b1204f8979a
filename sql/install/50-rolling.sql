/*
 * Accuracy of forecasts: rolling_rmse, rolling_mae, rolling_mape,
 * rolling_smape, rolling_bias, each an aggregate that also moves with a window
 * frame.  The error is forecast - actual.  Rows with a NULL are not counted;
 * without any counted row the result is NULL.
 */

CREATE FUNCTION @extschema@.rolling_rmse_accum(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_rmse_accum';

COMMENT ON FUNCTION @extschema@.rolling_rmse_accum(internal, float8, float8) IS
	'transition function of the aggregate rolling_rmse';

CREATE FUNCTION @extschema@.rolling_rmse_accum_inv(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_rmse_accum_inv';

COMMENT ON FUNCTION @extschema@.rolling_rmse_accum_inv(internal, float8, float8) IS
	'inverse transition function of the aggregate rolling_rmse';

CREATE FUNCTION @extschema@.rolling_mae_accum(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_mae_accum';

COMMENT ON FUNCTION @extschema@.rolling_mae_accum(internal, float8, float8) IS
	'transition function of the aggregate rolling_mae';

CREATE FUNCTION @extschema@.rolling_mae_accum_inv(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_mae_accum_inv';

COMMENT ON FUNCTION @extschema@.rolling_mae_accum_inv(internal, float8, float8) IS
	'inverse transition function of the aggregate rolling_mae';

CREATE FUNCTION @extschema@.rolling_mape_accum(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_mape_accum';

COMMENT ON FUNCTION @extschema@.rolling_mape_accum(internal, float8, float8) IS
	'transition function of the aggregate rolling_mape';

CREATE FUNCTION @extschema@.rolling_mape_accum_inv(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_mape_accum_inv';

COMMENT ON FUNCTION @extschema@.rolling_mape_accum_inv(internal, float8, float8) IS
	'inverse transition function of the aggregate rolling_mape';

CREATE FUNCTION @extschema@.rolling_smape_accum(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_smape_accum';

COMMENT ON FUNCTION @extschema@.rolling_smape_accum(internal, float8, float8) IS
	'transition function of the aggregate rolling_smape';

CREATE FUNCTION @extschema@.rolling_smape_accum_inv(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_smape_accum_inv';

COMMENT ON FUNCTION @extschema@.rolling_smape_accum_inv(internal, float8, float8) IS
	'inverse transition function of the aggregate rolling_smape';

CREATE FUNCTION @extschema@.rolling_bias_accum(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_bias_accum';

COMMENT ON FUNCTION @extschema@.rolling_bias_accum(internal, float8, float8) IS
	'transition function of the aggregate rolling_bias';

CREATE FUNCTION @extschema@.rolling_bias_accum_inv(state internal, forecast float8, actual float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_bias_accum_inv';

COMMENT ON FUNCTION @extschema@.rolling_bias_accum_inv(internal, float8, float8) IS
	'inverse transition function of the aggregate rolling_bias';

CREATE FUNCTION @extschema@.rolling_combine(state internal, other internal)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_combine';

COMMENT ON FUNCTION @extschema@.rolling_combine(internal, internal) IS
	'combine function of the rolling aggregates';

CREATE FUNCTION @extschema@.rolling_serialize(state internal)
RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_serialize';

COMMENT ON FUNCTION @extschema@.rolling_serialize(internal) IS
	'serialization function of the rolling aggregates';

CREATE FUNCTION @extschema@.rolling_deserialize(serialized bytea, context internal)
RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_deserialize';

COMMENT ON FUNCTION @extschema@.rolling_deserialize(bytea, internal) IS
	'deserialization function of the rolling aggregates';

CREATE FUNCTION @extschema@.rolling_mean_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_mean_final';

COMMENT ON FUNCTION @extschema@.rolling_mean_final(internal) IS
	'final function of rolling_mae, rolling_mape, rolling_smape and rolling_bias';

CREATE FUNCTION @extschema@.rolling_root_mean_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
AS 'MODULE_PATHNAME', 'arima_ops_rolling_root_mean_final';

COMMENT ON FUNCTION @extschema@.rolling_root_mean_final(internal) IS
	'final function of rolling_rmse';

CREATE AGGREGATE @extschema@.rolling_rmse(forecast float8, actual float8) (
	SFUNC = @extschema@.rolling_rmse_accum,
	STYPE = internal,
	SSPACE = 192,
	FINALFUNC = @extschema@.rolling_root_mean_final,
	COMBINEFUNC = @extschema@.rolling_combine,
	SERIALFUNC = @extschema@.rolling_serialize,
	DESERIALFUNC = @extschema@.rolling_deserialize,
	MSFUNC = @extschema@.rolling_rmse_accum,
	MINVFUNC = @extschema@.rolling_rmse_accum_inv,
	MSTYPE = internal,
	MSSPACE = 192,
	MFINALFUNC = @extschema@.rolling_root_mean_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.rolling_rmse(float8, float8) IS
	'root mean squared error of forecasts: sqrt(avg((forecast - actual)^2))';

CREATE AGGREGATE @extschema@.rolling_mae(forecast float8, actual float8) (
	SFUNC = @extschema@.rolling_mae_accum,
	STYPE = internal,
	SSPACE = 192,
	FINALFUNC = @extschema@.rolling_mean_final,
	COMBINEFUNC = @extschema@.rolling_combine,
	SERIALFUNC = @extschema@.rolling_serialize,
	DESERIALFUNC = @extschema@.rolling_deserialize,
	MSFUNC = @extschema@.rolling_mae_accum,
	MINVFUNC = @extschema@.rolling_mae_accum_inv,
	MSTYPE = internal,
	MSSPACE = 192,
	MFINALFUNC = @extschema@.rolling_mean_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.rolling_mae(float8, float8) IS
	'mean absolute error of forecasts: avg(abs(forecast - actual))';

CREATE AGGREGATE @extschema@.rolling_mape(forecast float8, actual float8) (
	SFUNC = @extschema@.rolling_mape_accum,
	STYPE = internal,
	SSPACE = 192,
	FINALFUNC = @extschema@.rolling_mean_final,
	COMBINEFUNC = @extschema@.rolling_combine,
	SERIALFUNC = @extschema@.rolling_serialize,
	DESERIALFUNC = @extschema@.rolling_deserialize,
	MSFUNC = @extschema@.rolling_mape_accum,
	MINVFUNC = @extschema@.rolling_mape_accum_inv,
	MSTYPE = internal,
	MSSPACE = 192,
	MFINALFUNC = @extschema@.rolling_mean_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.rolling_mape(float8, float8) IS
	'mean absolute percentage error of forecasts: avg(100 * abs(forecast - actual) / abs(actual)) over rows with actual <> 0';

CREATE AGGREGATE @extschema@.rolling_smape(forecast float8, actual float8) (
	SFUNC = @extschema@.rolling_smape_accum,
	STYPE = internal,
	SSPACE = 192,
	FINALFUNC = @extschema@.rolling_mean_final,
	COMBINEFUNC = @extschema@.rolling_combine,
	SERIALFUNC = @extschema@.rolling_serialize,
	DESERIALFUNC = @extschema@.rolling_deserialize,
	MSFUNC = @extschema@.rolling_smape_accum,
	MINVFUNC = @extschema@.rolling_smape_accum_inv,
	MSTYPE = internal,
	MSSPACE = 192,
	MFINALFUNC = @extschema@.rolling_mean_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.rolling_smape(float8, float8) IS
	'symmetric mean absolute percentage error of forecasts, 0 to 200: avg(200 * abs(forecast - actual) / (abs(forecast) + abs(actual))), two zeros count as 0';

CREATE AGGREGATE @extschema@.rolling_bias(forecast float8, actual float8) (
	SFUNC = @extschema@.rolling_bias_accum,
	STYPE = internal,
	SSPACE = 192,
	FINALFUNC = @extschema@.rolling_mean_final,
	COMBINEFUNC = @extschema@.rolling_combine,
	SERIALFUNC = @extschema@.rolling_serialize,
	DESERIALFUNC = @extschema@.rolling_deserialize,
	MSFUNC = @extschema@.rolling_bias_accum,
	MINVFUNC = @extschema@.rolling_bias_accum_inv,
	MSTYPE = internal,
	MSSPACE = 192,
	MFINALFUNC = @extschema@.rolling_mean_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.rolling_bias(float8, float8) IS
	'mean error of forecasts: avg(forecast - actual), positive where forecasts are too high';
