/*
 * All measures of accuracy in one row.  The error is forecast - actual, as for the
 * rolling metrics; rows with a NULL among those two are not counted.
 */

CREATE TYPE @extschema@.arima_accuracy_result AS (
	n bigint,
	n_skipped bigint,
	mae float8,
	rmse float8,
	mape float8,
	smape float8,
	mase float8,
	bias float8,
	theil_u float8
);

COMMENT ON TYPE @extschema@.arima_accuracy_result IS
'What arima_accuracy gives; a measure without any row to go by is NULL';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.n IS 'Rows with forecast and actual';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.n_skipped IS 'Of these, rows whose actual is 0, which mape leaves out';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.mae IS 'Mean absolute error';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.rmse IS 'Root of the mean squared error';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.mape IS 'Mean of 100 abs(error) / abs(actual), rows with actual 0 left out';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.smape IS 'Mean of 200 abs(error) / (abs(forecast) + abs(actual)), 0 to 200';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.mase IS 'Mean of abs(error) / scale (Hyndman and Koehler 2006), over rows with a scale above 0';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.bias IS 'Mean error, positive where forecasts are too high';
COMMENT ON COLUMN @extschema@.arima_accuracy_result.theil_u IS 'Root mean squared error over that of the naive forecast, on the rows that have one; below 1 is better than naive';

CREATE FUNCTION @extschema@.arima_accuracy_accum(state internal, forecast float8, actual float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_accum(internal, float8, float8) IS
'Transition function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_accum(state internal, forecast float8, actual float8, naive float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_accum(internal, float8, float8, float8) IS
'Transition function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_accum(state internal, forecast float8, actual float8, naive float8, scale float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_accum(internal, float8, float8, float8, float8) IS
'Transition function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_accum_inv(state internal, forecast float8, actual float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_accum_inv'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_accum_inv(internal, float8, float8) IS
'Inverse transition function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_accum_inv(state internal, forecast float8, actual float8, naive float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_accum_inv'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_accum_inv(internal, float8, float8, float8) IS
'Inverse transition function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_accum_inv(state internal, forecast float8, actual float8, naive float8, scale float8)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_accum_inv'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_accum_inv(internal, float8, float8, float8, float8) IS
'Inverse transition function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_combine(internal, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_combine(internal, internal) IS
'Combine function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_serialize(internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_serialize(internal) IS
'Serialization function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_deserialize(bytea, internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_deserialize(bytea, internal) IS
'Deserialization function of the aggregate arima_accuracy';

CREATE FUNCTION @extschema@.arima_accuracy_final(internal)
RETURNS @extschema@.arima_accuracy_result
AS 'MODULE_PATHNAME', 'arima_ops_accuracy_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;

COMMENT ON FUNCTION @extschema@.arima_accuracy_final(internal) IS
'Final function of the aggregate arima_accuracy';

CREATE AGGREGATE @extschema@.arima_accuracy(forecast float8, actual float8) (
	SFUNC = @extschema@.arima_accuracy_accum,
	STYPE = internal,
	SSPACE = 1536,
	FINALFUNC = @extschema@.arima_accuracy_final,
	COMBINEFUNC = @extschema@.arima_accuracy_combine,
	SERIALFUNC = @extschema@.arima_accuracy_serialize,
	DESERIALFUNC = @extschema@.arima_accuracy_deserialize,
	MSFUNC = @extschema@.arima_accuracy_accum,
	MINVFUNC = @extschema@.arima_accuracy_accum_inv,
	MSTYPE = internal,
	MSSPACE = 1536,
	MFINALFUNC = @extschema@.arima_accuracy_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_accuracy(float8, float8) IS
'Accuracy of forecasts: one row of n, n_skipped, mae, rmse, mape, smape, mase, bias, theil_u; the error is forecast - actual. For theil_u give a naive forecast as well, for mase the scale, too';

CREATE AGGREGATE @extschema@.arima_accuracy(forecast float8, actual float8, naive float8) (
	SFUNC = @extschema@.arima_accuracy_accum,
	STYPE = internal,
	SSPACE = 1536,
	FINALFUNC = @extschema@.arima_accuracy_final,
	COMBINEFUNC = @extschema@.arima_accuracy_combine,
	SERIALFUNC = @extschema@.arima_accuracy_serialize,
	DESERIALFUNC = @extschema@.arima_accuracy_deserialize,
	MSFUNC = @extschema@.arima_accuracy_accum,
	MINVFUNC = @extschema@.arima_accuracy_accum_inv,
	MSTYPE = internal,
	MSSPACE = 1536,
	MFINALFUNC = @extschema@.arima_accuracy_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_accuracy(float8, float8, float8) IS
'The same with a naive forecast for each row, which theil_u compares with';

CREATE AGGREGATE @extschema@.arima_accuracy(forecast float8, actual float8, naive float8, scale float8) (
	SFUNC = @extschema@.arima_accuracy_accum,
	STYPE = internal,
	SSPACE = 1536,
	FINALFUNC = @extschema@.arima_accuracy_final,
	COMBINEFUNC = @extschema@.arima_accuracy_combine,
	SERIALFUNC = @extschema@.arima_accuracy_serialize,
	DESERIALFUNC = @extschema@.arima_accuracy_deserialize,
	MSFUNC = @extschema@.arima_accuracy_accum,
	MINVFUNC = @extschema@.arima_accuracy_accum_inv,
	MSTYPE = internal,
	MSSPACE = 1536,
	MFINALFUNC = @extschema@.arima_accuracy_final,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.arima_accuracy(float8, float8, float8, float8) IS
'The same with the scale of each row, too: arima_naive_scale of the values that the forecast was made from, for mase';

CREATE FUNCTION @extschema@.arima_naive_scale(y float8[], m int DEFAULT 1)
RETURNS float8
AS 'MODULE_PATHNAME', 'arima_ops_naive_scale'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION @extschema@.arima_naive_scale(float8[], int) IS
'The mean of abs(y[t] - y[t-m]): the mean absolute error of the (seasonal) naive forecast within the series y, which scales the mean absolute scaled error of forecasts after it';
