"""Milliseconds of processor time that StatsForecast's AutoARIMA takes for each series of a file.

usage: auto_statsforecast.py FILE SECONDS     lines: name m value,value,..; gives name ms aicc

One core.  What it compiles is compiled before the clock starts, by a choice for a short
series with each season length; a series that takes longer than SECONDS is stopped.
"""
import os
import signal
import sys
import time

os.environ["NIXTLA_NUMBA_RELEASE_GIL"] = "0"
for threads in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
from statsforecast.models import AutoARIMA


class Stopped(Exception):
    """The series took too long."""


def stop(*_):
    raise Stopped


signal.signal(signal.SIGPROF, stop)
series = []
for line in open(sys.argv[1], encoding="ascii"):
    name, m, values = line.split()
    series.append((name, int(m), np.array([float(v) for v in values.split(",")])))
noise = np.random.default_rng(1)
for m in {m for _, m, _ in series}:
    short = min(m, 12)
    AutoARIMA(season_length=short).fit(np.sin(np.arange(5 * short + 20) * 6.283 / short) + noise.normal(size=5 * short + 20))
for name, m, y in series:
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[2]))
    try:
        aicc = "%.10g" % AutoARIMA(season_length=m).fit(y).model_["aicc"]
    except Stopped:
        aicc = "stopped"
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(name, "%.3f" % (1000 * (time.process_time() - start)), aicc, flush=True)
