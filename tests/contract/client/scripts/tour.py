"""A tour through the client: each step does something as a user would; what the client gives back is printed as JSON.

Runs in the client's environment, with the address of a server. Servers that agree print the same, up to ids and times.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType

if TYPE_CHECKING:
    from tests.contract.client.scripts.touring import Steps, add_to, an_experiment, failure, make, offers
else:  # its neighbour, found at run time
    from touring import Steps, add_to, an_experiment, failure, make, offers

STEPS: Steps = []


@add_to(STEPS)
def experiments(client: MlflowClient) -> Any:
    identity = an_experiment(client, "tour")
    client.set_experiment_tag(identity, "stage", "early")
    before = client.get_experiment(identity)
    client.rename_experiment(identity, "tour renamed")
    answer: dict[str, Any] = {}
    if offers("delete_experiment_tag"):
        client.delete_experiment_tag(identity, "stage")
        answer["a tag that is not there"] = failure(lambda: client.delete_experiment_tag(identity, "nothing"))
    return answer | {
        "default": client.get_experiment("0"),
        "before": before,
        "after": client.get_experiment_by_name("tour renamed"),
        "by its old name": client.get_experiment_by_name("tour"),
        "made twice": failure(lambda: client.create_experiment("tour renamed")),
        "missing": failure(lambda: client.get_experiment("424242")),
        "not a number": failure(lambda: client.get_experiment("abc")),
    }


@add_to(STEPS)
def deleted_experiments(client: MlflowClient) -> Any:
    identity = an_experiment(client, "passing")
    run = client.create_run(identity, run_name="inside")
    client.delete_experiment(identity)
    deleted = client.get_experiment(identity)
    gone = client.get_run(run.info.run_id)
    refused = failure(lambda: client.create_run(identity))
    clash = failure(lambda: client.create_experiment("passing"))
    client.restore_experiment(identity)
    return {
        "deleted": deleted.lifecycle_stage,
        "its run": gone.info.lifecycle_stage,
        "a new run in it": refused,
        "its name again": clash,
        "restored": client.get_run(run.info.run_id).info.lifecycle_stage,
        "restored twice": failure(lambda: client.restore_experiment(identity)),
    }


@add_to(STEPS)
def search_experiments(client: MlflowClient) -> Any:
    for letter in "abcde":
        client.create_experiment(f"search {letter}", tags={"letter": letter, "kind": "searched"})

    def names(**options: Any) -> list[str]:
        return [found.name for found in client.search_experiments(**options)]

    first = client.search_experiments(filter_string="tags.kind = 'searched'", order_by=["name ASC"], max_results=2)
    second = client.search_experiments(
        filter_string="tags.kind = 'searched'", order_by=["name ASC"], max_results=2, page_token=first.token
    )
    return {
        "like": names(filter_string="name LIKE 'search%'", order_by=["name DESC"]),
        "ilike": names(filter_string="name ILIKE 'SEARCH%'", order_by=["name"]),
        "tag": names(filter_string="tags.letter = 'c'"),
        "tag is not": names(filter_string="tags.letter != 'c' AND name LIKE 'search%'", order_by=["name"]),
        "pages": [[found.name for found in page] for page in (first, second)],
        "deleted": names(view_type=ViewType.DELETED_ONLY),
        "nonsense": failure(lambda: client.search_experiments(filter_string="name ~ 'a'")),
    }


@add_to(STEPS)
def runs(client: MlflowClient) -> Any:
    identity = an_experiment(client, "runs")
    run = client.create_run(identity, start_time=1_000, tags={"a": "1"}, run_name="first")
    key = run.info.run_id
    client.log_param(key, "depth", 3)
    client.log_param(key, "depth", 3)
    client.log_metric(key, "loss", 0.5, timestamp=1, step=0)
    client.log_metric(key, "loss", 0.25, timestamp=2, step=1)
    client.log_metric(key, "loss", 0.75, timestamp=3, step=1)
    client.log_metric(key, "odd", float("nan"), timestamp=1, step=-3)
    client.log_metric(key, "large", float("inf"), timestamp=1)
    client.set_tag(key, "b", "2")
    client.delete_tag(key, "a")
    client.update_run(key, name="renamed")
    running = client.get_run(key)
    client.set_terminated(key, status="FAILED", end_time=2_000)
    return {
        "running": running,
        "ended": client.get_run(key),
        "history": client.get_metric_history(key, "loss"),
        "history of nothing": client.get_metric_history(key, "nothing"),
        "another value": failure(lambda: client.log_param(key, "depth", 4)),
        "a bad key": failure(lambda: client.log_metric(key, "../a", 1.0)),
        "a tag that is not there": failure(lambda: client.delete_tag(key, "nothing")),
        "missing": failure(lambda: client.get_run("0" * 32)),
    }


@add_to(STEPS)
def batches(client: MlflowClient) -> Any:
    identity = an_experiment(client, "batches")
    key = client.create_run(identity, run_name="batched").info.run_id
    client.log_batch(
        key,
        metrics=[Metric("m", float(number), number, number) for number in range(1_500)],
        params=[Param(f"p{number:03}", str(number)) for number in range(120)],
        tags=[RunTag(f"t{number:03}", "x" * number) for number in range(110)],
    )
    run = client.get_run(key)
    repeated = [Param("p", "1"), Param("p", "2")]
    return {
        "metrics": run.data.metrics,
        "params": len(run.data.params),
        "tags": {name: len(value) for name, value in run.data.tags.items()},
        "history": [point.value for point in client.get_metric_history(key, "m")][-3:],
        "a param twice": failure(lambda: client.log_batch(key, params=repeated)),
        "a changed param": failure(lambda: client.log_batch(key, params=[Param("p001", "other")])),
        "long values": failure(lambda: client.log_param(key, "k" * 251, "v")),
    }


@add_to(STEPS)
def deleted_runs(client: MlflowClient) -> Any:
    identity = an_experiment(client, "deleted runs")
    key = client.create_run(identity, run_name="short").info.run_id
    client.delete_run(key)
    client.delete_run(key)
    answer = {
        "read": client.get_run(key).info.lifecycle_stage,
        "found": len(client.search_runs([identity])),
        "found among deleted": len(client.search_runs([identity], run_view_type=ViewType.DELETED_ONLY)),
        "log": failure(lambda: client.log_metric(key, "m", 1.0)),
        "tag": failure(lambda: client.set_tag(key, "m", "1")),
    }
    client.restore_run(key)
    return answer | {"restored": client.get_run(key).info.lifecycle_stage}


@add_to(STEPS)
def search_runs(client: MlflowClient) -> Any:
    identity = an_experiment(client, "searched runs")
    for number in range(8):
        run = client.create_run(identity, start_time=1_000 + number, run_name=f"run-{number}")
        client.log_param(run.info.run_id, "model", ["tree", "line"][number % 2])
        client.log_metric(run.info.run_id, "score", float("nan") if number == 7 else number / 10)
        if number % 3 == 0:
            client.set_tag(run.info.run_id, "third", "yes")
        client.set_terminated(run.info.run_id, "FINISHED" if number < 5 else "FAILED", end_time=5_000 - number)

    def names(filter_string: str = "", *order_by: str) -> list[str]:
        return [run.info.run_name for run in client.search_runs([identity], filter_string, order_by=list(order_by))]

    pages, token = [], None
    while True:
        page = client.search_runs([identity], "", max_results=3, order_by=["metrics.score DESC"], page_token=token)
        pages.append([run.info.run_name for run in page])
        token = page.token
        if not token:
            break
    return {
        "all": names(),
        "metric": names("metrics.score > 0.2 and metrics.score <= 0.5"),
        "metric is not": names("metrics.score != 0.3"),
        "param": names("params.model = 'tree'", "start_time ASC"),
        "param like": names("params.model LIKE 'l%' AND metrics.score < 0.4"),
        "tag": names("tags.third = 'yes'"),
        "tag is null": names("tags.third IS NULL"),
        "status": names("attributes.status = 'FAILED'"),
        "name": names("run_name ILIKE 'RUN-1%'"),
        "start time": names("start_time >= 1004", "attributes.end_time"),
        "order by param": names("", "params.model DESC", "metrics.score ASC"),
        "pages": pages,
        "nowhere": len(client.search_runs([])),
        "no quotes": failure(lambda: names("params.model = tree")),
        "quotes": failure(lambda: names("metrics.score > '1'")),
        "too many": failure(lambda: client.search_runs([identity], max_results=50_001)),
    }


@add_to(STEPS)
def files(client: MlflowClient) -> Any:
    identity = an_experiment(client, "files")
    key = client.create_run(identity, run_name="with files").info.run_id
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "tree"
        (folder / "inner").mkdir(parents=True)
        (folder / "one.txt").write_text("one")
        (folder / "inner" / "two words.bin").write_bytes(bytes(range(256)) * 64)
        client.log_artifacts(key, str(folder), "kept")
        client.log_text(key, "ünï", "notes/ünï.txt")
        client.log_dict(key, {"a": [1, 2]}, "notes/a.json")
        back = Path(client.download_artifacts(key, "kept", place))
        same = (back / "inner" / "two words.bin").read_bytes() == (folder / "inner" / "two words.bin").read_bytes()
    listed = {path: client.list_artifacts(key, path) for path in ("", "kept", "kept/inner", "notes", "missing")}
    return {
        "same bytes": same,
        "listed": listed,
        "text": mlflow.artifacts.load_text(f"runs:/{key}/notes/ünï.txt"),
        "dict": mlflow.artifacts.load_dict(f"runs:/{key}/notes/a.json"),
        "outside": failure(lambda: client.list_artifacts(key, "../..")),
    }


@add_to(STEPS)
def inputs(client: MlflowClient) -> Any:
    identity = an_experiment(client, "inputs")
    key = client.create_run(identity, run_name="fed").info.run_id
    dataset = Dataset(name="d", digest="1a2b", source_type="local", source="{}", schema="{}", profile="{}")
    client.log_inputs(key, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    client.log_inputs(key, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "other")])])
    return {
        "run": client.get_run(key).inputs,
        "found": [len(client.search_runs([identity], text)) for text in ("dataset.name = 'd'", "dataset.digest = 'x'")],
    }


@add_to(STEPS, "create_logged_model")
def logged_models(client: MlflowClient) -> Any:
    from mlflow.entities import LoggedModelOutput

    identity = an_experiment(client, "models")
    run = client.create_run(identity, run_name="maker").info.run_id
    model = client.create_logged_model(identity, "forest", source_run_id=run, tags={"t": "1"}, params={"p": "2"})
    made = model.to_dictionary()
    client.set_logged_model_tags(model.model_id, {"u": "3"})
    client.delete_logged_model_tag(model.model_id, "t")
    client.log_metric(run, "accuracy", 0.9, timestamp=5, step=1, model_id=model.model_id)
    client.log_model_params(model.model_id, {"q": "4"})
    client.log_outputs(run, [LoggedModelOutput(model.model_id, step=2)])
    client.finalize_logged_model(model.model_id, "READY")
    found = client.search_logged_models([identity], filter_string="metrics.accuracy > 0.5")
    ready = client.get_logged_model(model.model_id)
    outputs = client.get_run(run).outputs
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "weights.bin").write_bytes(b"weights")
        client.log_model_artifact(model.model_id, f"{folder}/weights.bin")
        client.log_model_artifacts(model.model_id, folder, "again")
    files = [client.list_logged_model_artifacts(model.model_id, path) for path in (None, "again")]
    client.delete_logged_model(model.model_id)
    return {
        "made": made,
        "ready": ready,
        "outputs": [[output.model_id, output.step] for output in outputs.model_outputs],
        "files": files,
        "found": [item.name for item in found],
        "not found": len(client.search_logged_models([identity], filter_string="metrics.accuracy > 0.95")),
        "deleted": failure(lambda: client.get_logged_model(model.model_id)),
        "a bad name": failure(lambda: client.create_logged_model(identity, "a/b")),
    }


@add_to(STEPS)
def fluent(client: MlflowClient) -> Any:
    mlflow.set_experiment("fluent")
    with mlflow.start_run(run_name="outer") as outer:
        mlflow.log_params({"a": 1, "b": "two"})
        mlflow.log_metrics({"x": 1.0, "y": 2.0}, step=4)
        with mlflow.start_run(run_name="inner", nested=True) as inner:
            mlflow.set_tags({"k": "v"})
    finished = mlflow.get_run(outer.info.run_id)
    found = mlflow.search_runs(experiment_names=["fluent"], order_by=["attributes.run_name"], output_format="list")
    answer = {
        "params": finished.data.params,
        "status": finished.info.status,
        "child of": mlflow.get_run(inner.info.run_id).data.tags["mlflow.parentRunId"] == outer.info.run_id,
        "parent": client.get_parent_run(inner.info.run_id),
        "no parent": client.get_parent_run(outer.info.run_id),
        "names": [run.info.run_name for run in found],
    }
    if offers("pandas"):
        frame = mlflow.search_runs(experiment_names=["fluent"], order_by=["attributes.run_name"])
        answer |= {"columns": sorted(frame.columns), "names in the frame": list(frame["tags.mlflow.runName"])}
    return answer


@add_to(STEPS, "log_stream")
def streams(client: MlflowClient) -> Any:
    key = client.create_run(an_experiment(client, "streams"), run_name="streamed").info.run_id
    client.log_stream(key, io.BytesIO(bytes(range(256)) * 1024), "streams/all.bin")
    return client.list_artifacts(key, "streams")


@add_to(STEPS, "pandas", "numpy", "PIL", "matplotlib")
def shown(client: MlflowClient) -> Any:
    """What a notebook shows: tables, images and figures."""
    from matplotlib.figure import Figure  # type: ignore[import-not-found]  # of the client's environment
    from PIL import Image  # type: ignore[import-not-found]  # of the client's environment

    identity = an_experiment(client, "shown")
    key = client.create_run(identity, run_name="shown").info.run_id
    client.log_table(key, {"x": [1, 2], "y": ["a", "b"]}, "tables/first.json")
    client.log_table(key, {"x": [3], "y": ["c"]}, "tables/first.json")
    client.log_image(key, Image.new("RGB", (4, 4)), "images/black.png")
    client.log_image(key, Image.new("RGB", (4, 4)), key="seen", step=1, timestamp=1_000)
    figure = Figure()
    figure.add_subplot().plot([1, 2], [3, 4])
    client.log_figure(key, figure, "figures/line.png")
    table = client.load_table(identity, "tables/first.json", run_ids=[key], extra_columns=["run_id"])
    tags = client.get_run(key).data.tags
    return {
        "table": {name: list(table[name]) for name in ("x", "y")},
        "tags": tags,
        "images": [file.path for file in client.list_artifacts(key, "images")][:1],
        "figures": [file.path for file in client.list_artifacts(key, "figures")],
    }


def main(tracking_uri: str) -> None:
    make(STEPS, tracking_uri)


if __name__ == "__main__":
    main(*sys.argv[1:])
