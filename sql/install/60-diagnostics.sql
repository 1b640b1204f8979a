/* ---- what a model says of values: paths of the future, anomalies ---- */

CREATE FUNCTION @extschema@.arima_simulate(
	model @extschema@.arima_model,
	h int,
	paths int DEFAULT 1,
	seed bigint DEFAULT 1,
	xreg float8[] DEFAULT NULL)
RETURNS TABLE (path int, step int, value float8)
AS 'MODULE_PATHNAME', 'arima_ops_simulate'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1000;

COMMENT ON FUNCTION @extschema@.arima_simulate(@extschema@.arima_model, int, int, bigint, float8[]) IS
'Sample paths of h steps after the series of the model: normal innovations of variance sigma2, coefficients taken as they are. The same seed gives the same paths, a path''s number and first steps do not depend on how many are asked for. Of a negative lambda a value may be Infinity, as an upper bound of arima_forecast may. xreg: one row per step of future regressors';

CREATE FUNCTION @extschema@.arima_anomalies(
	model @extschema@.arima_model,
	y float8[],
	level float8 DEFAULT 0.95,
	xreg float8[] DEFAULT NULL)
RETURNS TABLE (
	step int,
	value float8,
	lower_bound float8,
	upper_bound float8,
	is_anomaly boolean,
	anomaly_probability float8)
AS 'MODULE_PATHNAME', 'arima_ops_anomalies'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000 ROWS 1000;

COMMENT ON FUNCTION @extschema@.arima_anomalies(@extschema@.arima_model, float8[], float8, float8[]) IS
'Each value of y, which begins where the series of the model does if that has a trend in levels or Fourier terms, against its forecast from the values before it: the interval of that forecast, the probability of a value nearer to it (anomaly_probability), and whether that exceeds level (is_anomaly); NULL for missing values and for those that differencing uses up. A value counts in full for the forecasts after it, an anomaly too: after a jump that lasts there is one anomaly, after a spike the return to normal can be another';
