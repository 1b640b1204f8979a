# Milliseconds of a walk-forward over the last values of a series, the model refitted for each, and the
# root mean squared error of its forecasts.  Where R gives up a fit, the value before is the forecast.
# usage: Rscript walk.R FILE p,d,q ORIGINS METHOD
args <- commandArgs(TRUE)
y <- scan(args[1], quiet = TRUE)
order <- as.numeric(strsplit(args[2], ",")[[1]])
first <- length(y) - as.integer(args[3]) + 1
method <- args[4]
forecast_of <- function(t) tryCatch(suppressWarnings(predict(arima(y[seq_len(t - 1)], order = order, method = method), n.ahead = 1)$pred[1]),
	error = function(e) y[t - 1])
for (t in first:(first + 4)) forecast_of(t) # caches warm
elapsed <- system.time(forecasts <- vapply(first:length(y), forecast_of, 0))[["elapsed"]]
cat(sprintf("%.6f %.6f\n", 1000 * elapsed, sqrt(mean((forecasts - y[first:length(y)])^2))))
