/* ---- the automatic choice of the model ---- */

CREATE FUNCTION @extschema@.arima_candidates(
	y float8[],
	spec text DEFAULT 'auto',
	xreg float8[] DEFAULT NULL,
	options jsonb DEFAULT '{}')
RETURNS TABLE (tried int, spec text, criterion float8, loglik float8, reason text, milliseconds float8, chosen boolean)
AS 'MODULE_PATHNAME', 'arima_ops_candidates'
LANGUAGE C VOLATILE PARALLEL SAFE COST 50000 ROWS 20;

COMMENT ON FUNCTION @extschema@.arima_candidates(float8[], text, float8[], jsonb) IS
'The models that arima_fit with the same arguments tries for the specification auto or auto[m], in the order tried: the criterion that is minimised (option ic), the log-likelihood, the reason why a model is not to be chosen, the time that all its estimates took, and which one is the choice. VOLATILE because the times differ from call to call';
