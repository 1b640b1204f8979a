# Forecasts by forecast::auto.arima, by default, of each series of a file; those that OUT has are left as they are.
# usage: Rscript accuracy.R FILE OUT     lines: name m horizon value,value,..; appends name mean,lower,upper;..  at 95 %
suppressMessages(library(forecast))
args <- commandArgs(TRUE)
done <- if (file.exists(args[2])) sub(" .*", "", readLines(args[2])) else character(0)
out <- file(args[2], "a")
for (line in strsplit(readLines(args[1]), " ")) {
  if (line[1] %in% done) next
  y <- ts(as.numeric(strsplit(line[4], ",")[[1]]), frequency = as.numeric(line[2]))
  f <- suppressWarnings(forecast(auto.arima(y), h = as.numeric(line[3]), level = 95))
  steps <- paste(format(c(f$mean), digits = 15, trim = TRUE), format(c(f$lower), digits = 15, trim = TRUE), format(c(f$upper), digits = 15, trim = TRUE), sep = ",")
  writeLines(paste(line[1], paste(steps, collapse = ";")), out)
  flush(out)
}
