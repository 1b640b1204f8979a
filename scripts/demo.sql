-- The demonstration: four series, one model each, forecasts, and how good they are.
-- Run by scripts/demo in a fresh database; the variable csv names the data.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null '-'

CREATE EXTENSION arima_ops;

CREATE TABLE prices (
	series text,
	session int,
	close float8 NOT NULL,
	PRIMARY KEY (series, session)
);
\copy prices FROM pstdin WITH (FORMAT csv, HEADER)
ANALYZE prices;

\echo
\echo '1. The data: daily closing prices, 1991 to 1998 (session: trading day)'
\echo
SELECT series, count(*) AS sessions, min(close), max(close),
	(array_agg(close ORDER BY session DESC))[1] AS last
FROM prices GROUP BY series ORDER BY series;

\echo '2. One model per series, in one statement'
\echo
\echo '   CREATE TABLE models AS'
\echo '   SELECT series, arima_fit(ln(close), ''(1,1,1) with drift'' ORDER BY session) AS model'
\echo '   FROM prices GROUP BY series;'
\echo
\timing on
CREATE TABLE models AS
SELECT series, arima_fit(ln(close), '(1,1,1) with drift' ORDER BY session) AS model
FROM prices GROUP BY series;
\timing off
\echo
SELECT series, term, round(estimate::numeric, 6) AS estimate,
	round(std_error::numeric, 6) AS std_error, round(z::numeric, 2) AS z,
	round(p_value::numeric, 4) AS p_value
FROM models, arima_coefficients(model) WITH ORDINALITY
ORDER BY series, ordinality;

SELECT series, round(sqrt(s.sigma2)::numeric, 5) AS sigma,
	round(s.loglik::numeric, 2) AS loglik, round(s.aicc::numeric, 1) AS aicc, s.status
FROM models, arima_stats(model) AS s
ORDER BY series;

\echo '   In CAC, DAX and SMI an AR and an MA root nearly cancel: the z and p of such'
\echo '   terms mean nothing, and little is left beyond a random walk with a drift.'
\echo '   FTSE keeps a small autocorrelation.'
\echo
\echo '3. The next ten sessions: forecast (95 % interval, for normal errors of constant'
\echo '   variance: the last year moved more than the years before, so too narrow now)'
\echo
SELECT step AS h,
	max(cell) FILTER (WHERE series = 'CAC') AS "CAC",
	max(cell) FILTER (WHERE series = 'DAX') AS "DAX",
	max(cell) FILTER (WHERE series = 'FTSE') AS "FTSE",
	max(cell) FILTER (WHERE series = 'SMI') AS "SMI"
FROM (SELECT series, step,
		format('%s (%s-%s)', round(exp(forecast)), round(exp(lower)), round(exp(upper))) AS cell
	FROM models, arima_forecast(model, 10)) AS cells
GROUP BY step ORDER BY step;

-- The last 260 sessions, each forecast from those before it, by a model that has not seen them.
CREATE TABLE last_year AS
WITH trained AS (
	SELECT series, arima_fit(ln(close), '(1,1,1) with drift' ORDER BY session) AS model
	FROM prices WHERE session <= 1600 GROUP BY series
), history AS (
	SELECT series, session, close,
		lag(close) OVER w AS naive,
		array_agg(ln(close)) OVER (w ROWS BETWEEN 250 PRECEDING AND 1 PRECEDING) AS recent
	FROM prices WINDOW w AS (PARTITION BY series ORDER BY session)
)
SELECT series, session, close, naive, exp(arima_predict(model, recent)) AS forecast
FROM history JOIN trained USING (series)
WHERE session > 1600;

\echo '4. One step ahead over the last year (260 sessions that the model had not seen):'
\echo '   root mean squared error in index points, beside the naive forecast'
\echo '   "as yesterday"; and how the error over 20 sessions went: each line has its own'
\echo '   scale, from the lowest to the highest of its series'
\echo
WITH rolling AS (
	SELECT series, session,
		rolling_rmse(forecast, close) OVER year AS model,
		rolling_rmse(naive, close) OVER year AS naive,
		rolling_rmse(forecast, close) OVER month AS month
	FROM last_year
	WINDOW year AS (PARTITION BY series ORDER BY session ROWS 259 PRECEDING),
		month AS (PARTITION BY series ORDER BY session ROWS 19 PRECEDING)
), scaled AS (
	SELECT *, min(month) OVER months AS low, max(month) OVER months AS high
	FROM rolling WINDOW months AS (PARTITION BY series, session > 1620)
)
SELECT series,
	round(max(model) FILTER (WHERE session = 1860)::numeric, 3) AS "RMSE model",
	round(max(naive) FILTER (WHERE session = 1860)::numeric, 3) AS "RMSE naive",
	to_char(100 * (1 - max(model / naive) FILTER (WHERE session = 1860)), 'S990.99 %') AS skill,
	string_agg(substr('▁▂▃▄▅▆▇█', least(8, 1 + floor(8 * (month - low) / (high - low))::int), 1), '' ORDER BY session)
		FILTER (WHERE session > 1620 AND session % 8 = 4) AS "20-session RMSE"
FROM scaled GROUP BY series ORDER BY series;

\echo '   Skill is the part of the naive error that the model removes. Daily prices are'
\echo '   close to a random walk: expect about nothing, and distrust much more.'
\echo
