/* ---- forecasting ---- */

CREATE FUNCTION @extschema@.arima_forecast(
	model @extschema@.arima_model,
	h int DEFAULT 1,
	level float8 DEFAULT 0.95,
	xreg float8[] DEFAULT NULL)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8)
AS 'MODULE_PATHNAME', 'arima_ops_forecast'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10;

COMMENT ON FUNCTION @extschema@.arima_forecast(@extschema@.arima_model, int, float8, float8[]) IS
'Forecasts h steps after the series of the model, with standard errors and intervals of the given level. Of a negative lambda an upper bound may be Infinity. xreg: one row per step of future regressors';

/* h is a bigint, which a literal is not: so a level of unknown type is never taken for levels */
CREATE FUNCTION @extschema@.arima_forecast(
	model @extschema@.arima_model,
	h bigint,
	levels float8[],
	xreg float8[] DEFAULT NULL)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8, level float8)
AS 'MODULE_PATHNAME', 'arima_ops_forecast_levels'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 20;

COMMENT ON FUNCTION @extschema@.arima_forecast(@extschema@.arima_model, bigint, float8[], float8[]) IS
'The same with intervals of several levels: a row for each step and level, the level in the last column';

CREATE FUNCTION @extschema@.arima_forecast(
	model @extschema@.arima_model,
	recent float8[],
	h int DEFAULT 1,
	level float8 DEFAULT 0.95)
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8)
AS 'MODULE_PATHNAME', 'arima_ops_forecast_recent'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10;

COMMENT ON FUNCTION @extschema@.arima_forecast(@extschema@.arima_model, float8[], int, float8) IS
'Forecasts h steps after other recent values, with the parameters of the model as they are; an error for a model with regressors, or that depends on time, by a trend in levels or Fourier terms';

CREATE FUNCTION @extschema@.arima_forecast(
	model @extschema@.arima_model,
	recent float8[],
	h bigint,
	levels float8[])
RETURNS TABLE (step int, forecast float8, std_error float8, lower float8, upper float8, level float8)
AS 'MODULE_PATHNAME', 'arima_ops_forecast_recent_levels'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20;

COMMENT ON FUNCTION @extschema@.arima_forecast(@extschema@.arima_model, float8[], bigint, float8[]) IS
'The same with intervals of several levels: a row for each step and level, the level in the last column';

CREATE FUNCTION @extschema@.arima_predict(
	model @extschema@.arima_model,
	recent float8[])
RETURNS float8
AS 'MODULE_PATHNAME', 'arima_ops_predict'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

COMMENT ON FUNCTION @extschema@.arima_predict(@extschema@.arima_model, float8[]) IS
'The forecast one step after the recent values, with the parameters of the model as they are; an error for a model with regressors, or that depends on time, by a trend in levels or Fourier terms';
