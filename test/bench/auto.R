# Milliseconds of processor time that forecast::auto.arima, by default, takes for each series of a file.
# usage: Rscript auto.R FILE SECONDS     lines: name m value,value,..; gives name ms aicc
suppressMessages(library(forecast))
args <- commandArgs(TRUE)
for (line in strsplit(readLines(args[1]), " ")) {
  y <- ts(as.numeric(strsplit(line[3], ",")[[1]]), frequency = as.numeric(line[2]))
  times <- system.time(fit <- tryCatch({
    setTimeLimit(cpu = as.numeric(args[2]), transient = TRUE)
    suppressWarnings(auto.arima(y))
  }, error = function(e) NULL))
  setTimeLimit()
  cat(sprintf("%s %.3f %s\n", line[1], 1000 * (times[["user.self"]] + times[["sys.self"]]), if (is.null(fit)) "stopped" else format(fit$aicc, digits = 10)))
}
