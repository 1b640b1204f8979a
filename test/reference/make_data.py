#!/usr/bin/env python3
"""Makes test/data/reference from a folder with reference.json and series/*.csv.

usage: make_data.py FOLDER [OUTPUT]

Only the numbers that the test compares are taken: the best known optimum of
each model under the exact likelihood, and the CSS fit of R.  Every number is
written as repr() of the double, so that reading it back gives the same one.
The format of each file is described in OUTPUT/README.md.
"""
import csv
import json
import os
import shutil
import sys


def spec_of(model):
    """The model in the notation of arima_fit."""
    text = "(%d,%d,%d)" % tuple(model["order"])
    if any(model["seasonal"]):
        text += "(%d,%d,%d)[%d]" % (*model["seasonal"], model["period"])
    differences = model["order"][1] + model["seasonal"][1]
    if model["include_drift"]:
        text += " with drift"
    elif differences == 0:
        text += " with mean" if model["include_mean"] else " without constant"
    return text


def term_of(name, regressors):
    """R's coefficient name in our naming: intercept is the mean, regressors are numbered."""
    if name == "intercept":
        return "mean"
    if name in regressors:
        return "xreg%d" % (regressors.index(name) + 1)
    return name


def number(value):
    return "" if value is None else repr(float(value))


def regressors_of(folder, model):
    if not model["xreg_file"]:
        return []
    with open(os.path.join(folder, model["xreg_file"]), newline="") as f:
        return next(csv.reader(f))[1:]


# The collection's standard errors are second differences with a step of about
# 1e-3, three points on the diagonal and four off it.  One model has AR roots so
# close to the unit circle (modulus 1.013) that this is 6 % off the Hessian.  Put
# in its place: the limit for small steps, computed from a dense Cholesky factor
# ("make reference" shows how it is reached); R's own optim gives 0.0805, 0.0810, 0.0816.
HESSIAN_STD_ERRORS = {
    "log_AirPassengers__200_110s12": {"ar1": 0.080583, "ar2": 0.081013, "sar1": 0.081557},
}


def coefficient_rows(model, method, fit, regressors):
    errors = fit.get("se") or {}
    if method == "ml":
        errors = HESSIAN_STD_ERRORS.get(model["id"], errors)
    for name, value in fit["coef"].items():
        yield [model["id"], method, term_of(name, regressors), number(value),
               number(errors.get(name))]


def inside(coefs):
    """Are all roots of 1 - sum c_j z^j outside the unit circle? (step-down recursion)"""
    a = list(coefs)
    while a:
        last = a.pop()
        if abs(last) >= 1:
            return False
        a = [(x + last * y) / (1 - last * last) for x, y in zip(a, reversed(a))]
    return True


def usable_css(model):
    """R's CSS fit, if there is one that is stationary and invertible."""
    fit = model["fits"].get("R_arima_CSS", {})
    if fit.get("coef") is None:
        return {}
    for name, sign in (("ar", 1), ("ma", -1), ("sar", 1), ("sma", -1)):
        if not inside([sign * v for k, v in fit["coef"].items()
                       if k.rstrip("0123456789") == name]):
            return {}
    return fit


def named_tests(tests):
    """The tests of a series as (of, test, type, lags, result).

    of: "values", "steps" between neighbours, or "closed": steps after the gaps were closed.
    """
    for kind in ("Level", "Trend"):
        for lags in ("lshort", "llong"):
            yield "values", "kpss", kind.lower(), None, tests["tseries_kpss"][kind + "_" + lags]
    for name, kind in (("mu_nil", "level"), ("tau_nil", "trend")):
        result = tests["urca_kpss"][name]
        yield "values", "kpss", kind, result["lags"], {"statistic": result["statistic"]}
    for name, result in tests["tseries_adf"].items():
        yield "closed" if name.startswith("diff") else "values", "adf", "trend", None, result
    for name, result in tests["urca_adf"].items():
        kind, lags = name.split("_lags")
        yield ("values", "adf", {"none": "none", "drift": "level", "trend": "trend"}[kind], int(lags),
               {"statistic": result["tau"]})
    yield "values", "pp", "", None, tests["tseries_pp"]["lshort"]
    for lags in (10, 24):
        yield "values", "ljung_box", "", lags, tests["ljung_box_lag%d" % lags]
        yield "steps", "ljung_box", "", lags, tests["ljung_box_of_diff_lag%d" % lags]
    yield "values", "jarque_bera", "", None, tests["jarque_bera"]
    yield "closed", "jarque_bera", "", None, tests["jarque_bera_of_diff"]


def test_rows(name, series):
    """One row for each number that R's tests give of a series."""
    tests = series["tests"]
    for of, test, kind, lags, result in named_tests(tests):
        yield [name, of, test, kind, lags if lags is not None else result.get("parameter"),
               number(result["statistic"]), number(result.get("p_value"))]
    for test, of in (("acf", "values"), ("pacf", "values"), ("acf", "steps")):
        values = tests[test + ("_of_diff" if of == "steps" else "") + "_lags1_10"]
        for lag, value in enumerate(values):
            yield [name, of, test, "", lag + 1, number(value), ""]
    yield [name, "values", "ndiffs", "", "", number(tests["ndiffs"]["kpss"]), ""]
    if "nsdiffs" in tests:
        yield [name, "values", "nsdiffs", "", series["frequency"], number(tests["nsdiffs"]["seas"]), ""]
    yield [name, "values", "box_cox_lambda", "", series["frequency"],
           number(tests["boxcox_lambda_guerrero"]), ""]


def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def main(source, target):
    with open(os.path.join(source, "reference.json")) as f:
        reference = json.load(f)
    models = reference["models"]
    rows, coefs, forecasts = [], [], []
    for model in models:
        best = model["best"]
        css = usable_css(model)
        regressors = regressors_of(source, model)
        xreg = os.path.basename(model["xreg_file"]) if model["xreg_file"] else ""
        rows.append([model["id"], model["series"], spec_of(model),
                     xreg, model["quality"]["recommended_check"],
                     best["nobs"], number(best["sigma2"]),
                     number(model["loglik_best"]),
                     number(css.get("sigma2")), number(css.get("loglik"))])
        coefs += coefficient_rows(model, "ml", best, regressors)
        if css:
            coefs += coefficient_rows(model, "css", css, regressors)
        if best.get("forecast"):
            forecasts += [[model["id"], step + 1, number(mean), number(se)]
                          for step, (mean, se) in enumerate(
                              zip(best["forecast"]["mean"], best["forecast"]["se"]))]

    os.makedirs(os.path.join(target, "series"), exist_ok=True)
    write(target, "models.csv",
          ["id", "series", "spec", "xreg", "check", "n_used", "sigma2", "loglik",
           "css_sigma2", "css_loglik"], rows)
    write(target, "coefficients.csv",
          ["id", "method", "term", "estimate", "std_error"], coefs)
    write(target, "forecasts.csv", ["id", "step", "mean", "std_error"], forecasts)
    write(target, "tests.csv",
          ["series", "of", "test", "type", "lags", "statistic", "p_value"],
          [row for name, series in reference["series"].items() for row in test_rows(name, series)])
    for name in sorted(os.listdir(os.path.join(source, "series"))):
        shutil.copyfile(os.path.join(source, "series", name),
                        os.path.join(target, "series", name))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else
         os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/reference"))
