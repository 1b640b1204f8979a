# Writes series of R's datasets package as t,value files for the optimum
# search, shortest round-trip digits, empty = missing.
# usage: Rscript extra_series.R DIR
dir <- commandArgs(TRUE)[1]
dir.create(dir, recursive = TRUE, showWarnings = FALSE)

text <- function(x) {
  out <- character(length(x))
  for (i in seq_along(x)) {
    for (digits in 1:17) {
      out[i] <- format(x[i], digits = digits, scientific = FALSE, trim = TRUE)
      if (is.na(x[i]) || as.numeric(out[i]) == x[i]) break
    }
  }
  ifelse(is.na(x), "", out)
}

save <- function(name, x) {
  writeLines(c("t,value", paste0(seq_along(x), ",", text(as.numeric(x)))),
             file.path(dir, paste0(name, ".csv")))
}

plain <- c("BJsales", "BJsales.lead", "JohnsonJohnson", "UKDriverDeaths", "UKgas",
           "airmiles", "austres", "co2", "discoveries", "fdeaths", "ldeaths", "mdeaths",
           "nhtemp", "nottem", "sunspot.year", "uspop")
for (name in plain) save(name, get(name))
for (name in c("FTSE", "CAC", "SMI")) save(name, EuStockMarkets[, name])
save("treering", tail(treering, 600))
save("sunspots", tail(sunspots, 600))
save("beaver1", beaver1$temp)
save("beaver2", beaver2$temp)
save("freeny_y", freeny.y)
save("airquality_ozone", airquality$Ozone)
save("airquality_solar", airquality$Solar.R)
for (name in c("log_JohnsonJohnson", "log_UKgas", "log_UKDriverDeaths", "log_ldeaths",
               "log_airmiles", "log_co2", "log_FTSE", "log_CAC", "log_SMI"))
  save(name, log(if (name %in% c("log_FTSE", "log_CAC", "log_SMI"))
                   EuStockMarkets[, sub("log_", "", name)] else get(sub("log_", "", name))))
save("sqrt_sunspot.year", sqrt(sunspot.year))
save("sqrt_discoveries", sqrt(discoveries))

save_columns <- function(name, columns) {
  lines <- do.call(paste, c(list(seq_len(nrow(columns))),
                            lapply(seq_len(ncol(columns)), function(j) text(columns[, j])), sep = ","))
  writeLines(c(paste(c("t", colnames(columns)), collapse = ","), lines),
             file.path(dir, paste0(name, ".csv")))
}
save_columns("xreg_UKDriverDeaths", unclass(Seatbelts)[, c("law", "PetrolPrice")])
save_columns("xreg_BJsales", cbind(lead = as.numeric(BJsales.lead)))
