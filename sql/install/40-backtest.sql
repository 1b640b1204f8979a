/* ---- walk-forward validation ---- */

CREATE FUNCTION @extschema@.arima_backtest(
	y float8[],
	spec text,
	initial int,
	horizon int DEFAULT 1,
	step int DEFAULT 1,
	refit_every int DEFAULT 1,
	"window" int DEFAULT NULL,
	level float8 DEFAULT 0.95,
	xreg float8[] DEFAULT NULL,
	options jsonb DEFAULT '{}',
	reselect boolean DEFAULT false)
RETURNS TABLE (origin int, step int, actual float8, forecast float8, std_error float8, lower float8, upper float8)
AS 'MODULE_PATHNAME', 'arima_ops_backtest'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 ROWS 250;

COMMENT ON FUNCTION @extschema@.arima_backtest(float8[], text, int, int, int, int, int, float8, float8[], jsonb, boolean) IS
'Walk-forward validation: after initial values of the series y, and after every step more of them (the origins), forecasts the next horizon values from those before. The specification is estimated at the first origin and at each refit_every-th (0: once), on all values so far or on the last "window" of them. actual is NULL for a missing value; steps beyond the series are left out. options are those of arima_fit. reselect: with spec auto, choose the model anew whenever its optimum is searched for anew';

CREATE FUNCTION @extschema@.arima_backtest(
	model @extschema@.arima_model,
	y float8[],
	initial int,
	horizon int DEFAULT 1,
	step int DEFAULT 1,
	refit_every int DEFAULT 0,
	"window" int DEFAULT NULL,
	level float8 DEFAULT 0.95,
	xreg float8[] DEFAULT NULL)
RETURNS TABLE (origin int, step int, actual float8, forecast float8, std_error float8, lower float8, upper float8)
AS 'MODULE_PATHNAME', 'arima_ops_backtest_model'
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 250;

COMMENT ON FUNCTION @extschema@.arima_backtest(@extschema@.arima_model, float8[], int, int, int, int, int, float8, float8[]) IS
'The same with the parameters that the model has, which stay unless refit_every is given: how a model that is already there would have done on the series y';
