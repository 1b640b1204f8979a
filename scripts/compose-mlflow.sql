-- On the first start of scripts/compose.yaml: every change of a model is told to MLflow.
SELECT arima_ops.configure_tracking('http://mlflow:5000');
