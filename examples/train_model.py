"""Train a small model and track it: parameters, a metric, the model itself and the data it was trained on.

This is a program as a user of MLflow writes it; nothing in it knows which server it talks to. With `--check` it then
takes back what it logged, the way other programs would, and ends with an error at the first difference.

    python examples/train_model.py --tracking-uri http://127.0.0.1:5000 --check
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

EXPERIMENT = "S3_Artifact_Example"


class Difference(Exception):
    """What came back from the server is not what was logged."""


def make_data(n_samples: int, noise: float) -> pd.DataFrame:
    features, target = make_regression(n_samples=n_samples, n_features=1, noise=noise, random_state=42)
    return pd.DataFrame({"feature": features[:, 0], "target": target})


def train(data: pd.DataFrame) -> tuple[LinearRegression, float]:
    model = LinearRegression().fit(data[["feature"]], data["target"])
    return model, float(r2_score(data["target"], model.predict(data[["feature"]])))


def log(data: pd.DataFrame, noise: float) -> str:
    """Train on the data and log everything to one run; returns the run's id."""
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        model, score = train(data)
        mlflow.log_param("n_samples", len(data))
        mlflow.log_param("noise", noise)
        mlflow.log_metric("r2_score", score)
        mlflow.sklearn.log_model(model, "linear_model")

        data_file = Path(folder) / "data.csv"
        data.to_csv(data_file, index=False)
        mlflow.log_artifact(str(data_file), "raw_data")
    return str(run.info.run_id)


def check(run_id: str, data: pd.DataFrame, noise: float) -> None:
    """Take back the run, its file and its model, and compare each with what was logged."""
    model, score = train(data)
    client = MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        raise Difference(f"experiment {EXPERIMENT}: not found")

    found = client.search_runs(
        [experiment.experiment_id],
        filter_string=f"attributes.run_id = '{run_id}' and params.n_samples = '{len(data)}' and metrics.r2_score > 0.5",
        order_by=["attributes.start_time DESC"],
    )
    same("runs found by MlflowClient.search_runs", [run.info.run_id for run in found], [run_id])
    frame = mlflow.search_runs(experiment_names=[EXPERIMENT], filter_string=f"attributes.run_id = '{run_id}'")
    same("run ids in mlflow.search_runs", list(frame["run_id"]), [run_id])
    same("r2_score in mlflow.search_runs", list(frame["metrics.r2_score"]), [score])

    for way, run in (("get_run", client.get_run(run_id)), ("search_runs", found[0])):
        same(f"experiment of {way}", run.info.experiment_id, experiment.experiment_id)
        same(f"status of {way}", run.info.status, "FINISHED")
        same(f"params of {way}", dict(run.data.params), {"n_samples": str(len(data)), "noise": str(noise)})
        same(f"metrics of {way}", dict(run.data.metrics), {"r2_score": score})
    same("history of r2_score", [point.value for point in client.get_metric_history(run_id, "r2_score")], [score])

    same(
        "files under raw_data", [file.path for file in client.list_artifacts(run_id, "raw_data")], ["raw_data/data.csv"]
    )
    with tempfile.TemporaryDirectory() as folder:
        downloaded = mlflow.artifacts.download_artifacts(
            run_id=run_id, artifact_path="raw_data/data.csv", dst_path=folder
        )
        same("bytes of raw_data/data.csv", Path(downloaded).read_bytes(), data.to_csv(index=False).encode())

    loaded = mlflow.sklearn.load_model(f"runs:/{run_id}/linear_model")
    difference = np.abs(loaded.predict(data[["feature"]]) - model.predict(data[["feature"]])).max()
    if difference > 1e-9:
        raise Difference(f"the model that came back predicts otherwise, by up to {difference}")


def same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Difference(f"{what}: found {found!r}, expected {expected!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"), help="default: $MLFLOW_TRACKING_URI"
    )
    parser.add_argument("--n-samples", type=int, default=200)
    parser.add_argument("--noise", type=float, default=10.0)
    parser.add_argument("--check", action="store_true", help="take back what was logged, and compare")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    if options.tracking_uri:
        mlflow.set_tracking_uri(options.tracking_uri)

    data = make_data(options.n_samples, options.noise)
    run_id = log(data, options.noise)
    if options.check:
        try:
            check(run_id, data, options.noise)
        except Difference as difference:
            print(f"check failed: {difference}", file=sys.stderr)
            return 1

    experiment_id = MlflowClient().get_run(run_id).info.experiment_id
    result = {
        "tracking_uri": mlflow.get_tracking_uri(),
        "experiment_id": experiment_id,
        "run_id": run_id,
        "checked": options.check,
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(f"run {run_id} of experiment {experiment_id} ({EXPERIMENT}) logged to {mlflow.get_tracking_uri()}")
        if options.check:
            print("checked: run, search, metric history, file and model came back as they were logged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
