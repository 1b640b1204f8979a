/* ---- a model in words ---- */

CREATE FUNCTION @extschema@.arima_explain(
	model @extschema@.arima_model,
	y float8[] DEFAULT NULL,
	xreg float8[] DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'arima_ops_explain'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;

COMMENT ON FUNCTION @extschema@.arima_explain(@extschema@.arima_model, float8[], float8[]) IS
'What a model says, in plain words: how many values it was fitted to and after how many it stands, what it forecasts from what, where the forecast goes and how fast, how wide the interval grows, and what is to be said against the estimate. With the series y also how much it gains one step ahead on the simplest forecasts: the last value, the value one season before, or for a model without differences the mean; y begins where the series of the model does if that has a trend in levels or Fourier terms';
