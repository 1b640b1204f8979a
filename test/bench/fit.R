# Milliseconds of one fit by stats::arima, averaged over repetitions.
# usage: Rscript fit.R FILE p,d,q P,D,Q m METHOD REPETITIONS
args <- commandArgs(TRUE)
y <- scan(args[1], quiet = TRUE)
numbers <- function(text) as.numeric(strsplit(text, ",")[[1]])
order <- numbers(args[2])
seasonal <- list(order = numbers(args[3]), period = as.numeric(args[4]))
method <- args[5]
repetitions <- as.integer(args[6])
elapsed <- system.time(
  for (i in seq_len(repetitions)) fit <- arima(y, order = order, seasonal = seasonal, method = method)
)[["elapsed"]]
cat(sprintf("%.6f %.6f\n", 1000 * elapsed / repetitions, fit$loglik))
