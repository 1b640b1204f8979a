--
-- Fits of test/data/reference through SQL against the best known optimum.
-- What is wrong is listed with its numbers: every table below but the last
-- one must be empty.
--
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS arima_ops;
RESET client_min_messages;

CREATE TEMP TABLE model (
	id text PRIMARY KEY,
	series text NOT NULL,
	spec text NOT NULL,
	xreg text,
	recommended text NOT NULL,
	n_used int NOT NULL,
	sigma2 float8 NOT NULL,
	loglik float8 NOT NULL,
	css_sigma2 float8,
	css_loglik float8);
CREATE TEMP TABLE coefficient (
	id text,
	method text,
	term text,
	estimate float8,
	std_error float8,
	PRIMARY KEY (id, method, term));
CREATE TEMP TABLE forecast (
	id text,
	step int,
	mean float8,
	std_error float8,
	PRIMARY KEY (id, step));
CREATE TEMP TABLE observation (
	series text,
	t int,
	value float8,
	PRIMARY KEY (series, t));
CREATE TEMP TABLE regressor (LIKE observation INCLUDING ALL);

\copy model from 'test/data/reference/models.csv' with (format csv, header)
\copy coefficient from 'test/data/reference/coefficients.csv' with (format csv, header)
\copy forecast from 'test/data/reference/forecasts.csv' with (format csv, header)
\copy observation from program 'cd test/data/reference/series && awk ''FNR > 1 { print substr(FILENAME, 1, length(FILENAME) - 4) "," $0 }'' [!x]*.csv' with (format csv)
\copy regressor from program 'cd test/data/reference/series && awk ''FNR > 1 { print FILENAME "," $0 }'' xreg_LakeHuron_time.csv xreg_Nile_dam.csv' with (format csv)

-- y, its regressors, the number of forecasts and the regressors for these
CREATE TEMP TABLE input AS
SELECT m.id, m.spec, y.y, f.h,
	   (SELECT array_agg(ARRAY[r.value] ORDER BY r.t)
		FROM regressor r WHERE r.series = m.xreg AND r.t <= y.n) AS x,
	   (SELECT array_agg(ARRAY[r.value] ORDER BY r.t)
		FROM regressor r WHERE r.series = m.xreg AND r.t > y.n AND r.t <= y.n + f.h) AS x_future
FROM model m,
	 LATERAL (SELECT array_agg(o.value ORDER BY o.t) AS y, count(*) AS n
			  FROM observation o WHERE o.series = m.series) y,
	 LATERAL (SELECT count(*)::int AS h FROM forecast WHERE forecast.id = m.id) f;

CREATE TEMP TABLE fit AS
SELECT id, arima_fit(y, spec, x) AS model, h, x_future FROM input;

-- below the best known log-likelihood, or of another number of values
SELECT m.id, m.loglik AS best, s.loglik, m.loglik - s.loglik AS shortfall, s.n_used
FROM model m LEFT JOIN fit f USING (id), LATERAL arima_stats(f.model) s
WHERE (s.loglik >= m.loglik - 1e-3 AND s.loglik < 'Infinity' AND s.n_used = m.n_used) IS NOT TRUE
ORDER BY m.id;

-- coefficients and standard errors; a missing or additional term is wrong too
CREATE TEMP TABLE compared_coefficient AS
SELECT id, term, c.estimate AS best, o.estimate, c.std_error AS best_error, o.std_error,
	   abs(o.estimate - c.estimate) / c.std_error AS deviation,
	   abs(o.std_error / c.std_error - 1) AS error_deviation
FROM (SELECT id, term, estimate, std_error
	  FROM model JOIN coefficient USING (id)
	  WHERE recommended = 'coef_se_forecast_at_best' AND method = 'ml') c
FULL JOIN
	 (SELECT id, k.*
	  FROM model JOIN fit USING (id), LATERAL arima_coefficients(fit.model) k
	  WHERE recommended = 'coef_se_forecast_at_best') o USING (id, term);
SELECT * FROM compared_coefficient
WHERE (deviation <= 0.02 AND error_deviation <= 0.02) IS NOT TRUE
ORDER BY id, term;

-- forecasts
CREATE TEMP TABLE compared_forecast AS
SELECT id, step, c.mean AS best, o.forecast, c.std_error AS best_error, o.std_error,
	   abs(o.forecast - c.mean) / c.std_error AS deviation,
	   abs(o.std_error / c.std_error - 1) AS error_deviation
FROM (SELECT id, step, mean, std_error
	  FROM model JOIN forecast USING (id)
	  WHERE recommended = 'coef_se_forecast_at_best') c
FULL JOIN
	 (SELECT id, p.*
	  FROM model JOIN fit USING (id), LATERAL arima_forecast(fit.model, h, xreg => x_future) p
	  WHERE recommended = 'coef_se_forecast_at_best') o USING (id, step);
SELECT * FROM compared_forecast
WHERE (deviation <= 0.01 AND error_deviation <= 0.01) IS NOT TRUE
ORDER BY id, step;

-- the conditional sum of squares, at least as good as R's
CREATE TEMP TABLE css AS
SELECT m.id, m.css_loglik AS best, s.loglik, m.css_loglik - s.loglik AS shortfall
FROM model m JOIN input i USING (id),
	 LATERAL arima_stats(arima_fit(i.y, i.spec, i.x, '{"method": "css"}')) s
WHERE m.css_loglik IS NOT NULL;
SELECT * FROM css
WHERE (loglik >= best - 1e-3 AND loglik < 'Infinity') IS NOT TRUE
ORDER BY id;

-- how much was compared
SELECT (SELECT count(*) FROM model) AS models,
	   (SELECT count(*) FROM fit WHERE model IS NOT NULL) AS fits,
	   (SELECT count(*) FROM compared_coefficient) AS coefficients,
	   (SELECT count(*) FROM compared_forecast) AS forecasts,
	   (SELECT count(*) FROM css) AS css;
