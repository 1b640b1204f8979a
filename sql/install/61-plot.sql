/* ---- a picture ---- */

CREATE FUNCTION @extschema@.arima_plot(
	model @extschema@.arima_model,
	y float8[],
	h int DEFAULT 24,
	title text DEFAULT NULL,
	last int DEFAULT NULL,
	levels float8[] DEFAULT '{0.5,0.8,0.95}',
	backtest float8[] DEFAULT NULL,
	labels text[] DEFAULT NULL,
	xreg float8[] DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'arima_ops_plot'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION @extschema@.arima_plot(@extschema@.arima_model, float8[], int, text, int, float8[], float8[], text[], float8[]) IS
'A picture (SVG) of the series y and the forecast of h steps with its intervals; h = 0: of the series alone. y: the series of the model, its newest part, or it and what came after. last: how many values before the forecast to show. backtest: forecasts of the last values of y. labels: one for each value of y, and for the steps after it if known. xreg: one row per step of future regressors';
