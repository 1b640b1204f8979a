"""The design that arima_restd replaces, for its benchmark: FastAPI on uvicorn, a statsmodels
fit for each request, a line of CSV as the log.  Served by: uvicorn fastapi_baseline:app"""
import csv
import datetime
import os
from typing import List, Optional

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from statsmodels.tsa.arima.model import ARIMA

ORDER = (0, 1, 0)
LOG = os.environ.get("BASELINE_LOG", os.devnull)
app = FastAPI(title="baseline")


class Prices(BaseModel):
    recent_prices: List[float] = Field(min_length=10, max_length=60)
    date: Optional[str] = None


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/predict")
def predict(prices: Prices):
    try:
        value = float(ARIMA(prices.recent_prices, order=ORDER).fit().forecast(1)[0])
    except Exception as error:
        raise HTTPException(400, f"prediction failed:{error}")
    now = datetime.datetime.utcnow().isoformat()
    with open(LOG, "a", newline="") as log:
        csv.writer(log).writerow([now, value, "", "", len(prices.recent_prices), "ARIMA", str(ORDER)])
    return {"prediction": value, "model_type": "arima", "arima_order": list(ORDER), "timestamp": now}
