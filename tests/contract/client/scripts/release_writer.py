"""Write what any release of MLflow can: `release_writer.py TRACKING_URI NAME [new]`; `new` makes the tables alone.

Runs in the environment of that release, from 1.0 on: it asks for nothing that this release does not have. Prints which
parts it wrote, and what the release said to those that it refused.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

try:
    from mlflow.tracking import MlflowClient
except ImportError:
    from mlflow import MlflowClient

LETTERS = "Ключ ✓ 🚀 'quoted' \"twice\" back\\slash %s :x\ttab\nline "
LENGTHS = (8000, 6000, 5000, 500, 250)
VALUES = (0.1, 1.7976931348623157e308, 5e-300, -0.0, -1.5, 3.0, float("inf"), float("-inf"), float("nan"))
YEAR_2020 = 1_577_836_800_000


class Absent(Exception):
    pass


class Writer:
    def __init__(self, uri: str, name: str) -> None:
        self.client: Any = MlflowClient(uri)
        self.name = name
        self.experiment = ""
        self.run = ""

    def has(self, method: str) -> Any:
        if not hasattr(self.client, method):
            raise Absent
        return getattr(self.client, method)

    def store(self, method: str) -> Any:
        """Of a database alone, for what the client reaches with packages of its own only."""
        store = getattr(getattr(self.client, "_tracking_client", None), "store", None)
        if not hasattr(store, method) or not type(store).__name__.startswith("SqlAlchemy"):
            raise Absent
        return getattr(store, method)


def as_long_as_it_takes(write: Callable[[str], object]) -> None:
    """The longest value that the release takes."""
    for length in LENGTHS:
        try:
            write(f"{length:05}" + "é" * (length - 5))
        except Exception:
            if length == LENGTHS[-1]:
                raise
        else:
            return


def experiments(writer: Writer) -> None:
    client, name = writer.client, writer.name
    writer.experiment = client.create_experiment(f"{name} plain")
    client.create_experiment(f"{name} {LETTERS}")
    client.create_experiment(name + "x" * (240 - len(name)), artifact_location="file:///elsewhere/a%20b")
    deleted = client.create_experiment(f"{name} deleted")
    client.create_run(deleted)
    client.delete_experiment(deleted)
    restored = client.create_experiment(f"{name} restored")
    client.create_run(restored)
    client.delete_experiment(restored)
    client.restore_experiment(restored)
    client.rename_experiment(restored, f"{name} renamed")


def experiment_tags(writer: Writer) -> None:
    tag = writer.has("set_experiment_tag")
    tag(writer.experiment, "mlflow.note.content", LETTERS)
    tag(writer.experiment, "k" * 240, "")
    as_long_as_it_takes(lambda value: tag(writer.experiment, "long", value))


def runs(writer: Writer) -> None:
    client = writer.client
    tags = {"mlflow.user": "ann", "mlflow.runName": f"{LETTERS}", "mlflow.source.name": "train.py"}
    for status in ("FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED"):
        run = client.create_run(writer.experiment, start_time=YEAR_2020, tags={**tags, "mlflow.source.type": "JOB"})
        if status != "RUNNING":
            try:
                client.set_terminated(run.info.run_id, status, end_time=YEAR_2020 + 1)
            except Exception:  # noqa: BLE001 - 1.0 to 1.3 do not know KILLED
                client.set_terminated(run.info.run_id)
    writer.run = run.info.run_id
    child = client.create_run(writer.experiment, start_time=0, tags={"mlflow.parentRunId": writer.run}).info.run_id
    client.delete_run(child)
    back = client.create_run(writer.experiment).info.run_id
    client.delete_run(back)
    client.restore_run(back)


def metrics(writer: Writer) -> None:
    for number, value in enumerate(VALUES):
        for step in (number, 0, -3, 2**40):
            try:
                writer.client.log_metric(writer.run, "odd", value, timestamp=YEAR_2020 + number, step=step)
            except MlflowException:  # the first releases refuse what is no number
                if math.isfinite(value):
                    raise
    for number, value in enumerate((float("nan"), 1.0, float("nan"), 0.5)):
        writer.client.log_metric(writer.run, f"a/b c.d-e_{number}", value, timestamp=number, step=-number)
    for value in (1.0, 2.0, 2.0, 1.5):
        writer.client.log_metric(writer.run, "tied", value, timestamp=7, step=7)
    writer.client.log_metric(writer.run, "m" * 240, 1.0)


def params(writer: Writer) -> None:
    as_long_as_it_takes(lambda value: writer.client.log_param(writer.run, "long", value))
    writer.client.log_param(writer.run, "p/q r.s-t_" + "p" * 200, LETTERS)
    writer.client.log_param(writer.run, "none", None)
    writer.client.log_param(writer.run, "number", 0.1)


def empty_param(writer: Writer) -> None:
    writer.client.log_param(writer.run, "empty", "")


def tags(writer: Writer) -> None:
    as_long_as_it_takes(lambda value: writer.client.set_tag(writer.run, "long", value))
    writer.client.set_tag(writer.run, "t/u v.w-x_" + "t" * 200, LETTERS)
    writer.client.set_tag(writer.run, "again", "first")
    writer.client.set_tag(writer.run, "again", "second")
    writer.client.set_tag(writer.run, "empty", "")


def batch(writer: Writer) -> None:
    points = [Metric(f"batch {number % 3}", number / 7, YEAR_2020 + number, number // 3) for number in range(300)]
    writer.client.log_batch(
        writer.run,
        metrics=points,
        params=[Param(f"batch {number}", str(number)) for number in range(50)],
        tags=[RunTag(f"batch {number}", LETTERS) for number in range(50)],
    )


def datasets(writer: Writer) -> None:
    log = writer.has("log_inputs")
    from mlflow.entities import Dataset, DatasetInput, InputTag

    found = [
        DatasetInput(
            Dataset(f"data {number}", f"digest{number}", "local", "{}", schema="s" * 60_000, profile=LETTERS),
            [InputTag("mlflow.data.context", "training"), InputTag("k" * 200, LETTERS)],
        )
        for number in range(3)
    ]
    log(writer.run, found)
    log(writer.client.create_run(writer.experiment).info.run_id, found[:1])


def models(writer: Writer) -> None:
    create, name = writer.has("create_registered_model"), f"{writer.name} model"
    for each in (name, f"{name} {LETTERS.replace('/', '').replace(':', '')}", f"{name} old", f"{name} gone"):
        create(each)
    for number in range(4):
        writer.client.create_model_version(name, f"s3://bucket/models/{number}", writer.run)
    writer.client.create_model_version(f"{name} old", "s3://bucket/models/old", writer.run)
    writer.client.delete_model_version(name, "2")
    writer.client.delete_registered_model(f"{name} gone")


def model_words(writer: Writer) -> None:
    name = f"{writer.name} model"
    writer.has("create_registered_model")
    try:
        writer.client.update_registered_model(name, description=LETTERS * 20)
        writer.client.update_model_version(name, "1", description=LETTERS * 20)
    except TypeError as error:
        raise Absent from error


def renamed_model(writer: Writer) -> None:
    writer.has("rename_registered_model")(f"{writer.name} model old", f"{writer.name} model new")


def stages(writer: Writer) -> None:
    change, name = writer.has("transition_model_version_stage"), f"{writer.name} model"
    for version, stage in (("1", "Production"), ("3", "Staging"), ("4", "Archived")):
        change(name, version, stage)


def model_tags(writer: Writer) -> None:
    name = f"{writer.name} model"
    writer.has("set_registered_model_tag")(name, "k" * 240, LETTERS)
    as_long_as_it_takes(lambda value: writer.client.set_model_version_tag(name, "1", "long", value))
    writer.client.set_model_version_tag(name, "3", "empty", "")


def aliases(writer: Writer) -> None:
    alias, name = writer.has("set_registered_model_alias"), f"{writer.name} model"
    for each, version in (("champion", "1"), ("challenger", "3"), ("also", "1")):
        alias(name, each, version)


def logged_models(writer: Writer) -> None:
    create = writer.has("create_logged_model")
    made = [
        create(
            writer.experiment,
            name=f"{writer.name} logged {number}",
            source_run_id=writer.run,
            tags={"t": LETTERS, "u": ""},
            params={"p": "v" * 4000},
            model_type="agent",
        )
        for number in range(3)
    ]
    writer.client.finalize_logged_model(made[0].model_id, "READY")
    writer.client.finalize_logged_model(made[1].model_id, "FAILED")
    writer.client.delete_logged_model(made[2].model_id)
    for step, value in enumerate((float("nan"), 1.0)):
        writer.client.log_metric(writer.run, "of a model", value, YEAR_2020, step, model_id=made[0].model_id)


def traces(writer: Writer) -> None:
    start = writer.has("start_trace")
    writer.store("search_traces" if hasattr(MlflowClient, "search_traces") else "start_trace")
    for number, user in enumerate(("ann", LETTERS, "")):
        root: Any = start(
            f"trace {number}",
            inputs={"question": LETTERS},
            attributes={"a": number},
            tags={"mine": LETTERS, "mlflow.user": user},
            experiment_id=writer.experiment,
        )
        trace = getattr(root, "trace_id", None) or root.request_id
        span = writer.client.start_span("inner", trace, root.span_id, inputs={"x": 1})
        writer.client.end_span(trace, span.span_id, outputs={"tokens": [1, 2]})
        writer.client.end_trace(trace, outputs={"answer": number}, status="ERROR" if number == 1 else "OK")
        writer.client.set_trace_tag(trace, "after", "wards")
    if hasattr(mlflow, "flush_trace_async_logging"):
        mlflow.flush_trace_async_logging()


def assessments(writer: Writer) -> None:
    if not hasattr(mlflow, "log_feedback"):
        raise Absent
    writer.store("create_assessment")
    found: Any = writer.client.search_traces(experiment_ids=[writer.experiment], include_spans=False)
    for trace in found:
        for value in (True, 0.5, "good", {"nested": [LETTERS]}, [1, 2]):
            mlflow.log_feedback(trace_id=trace.info.trace_id, name="judged", value=value, rationale=LETTERS)
        mlflow.log_expectation(trace_id=trace.info.trace_id, name="expected", value="answer", metadata={"k": "v"})


def webhooks(writer: Writer) -> None:
    create = writer.has("create_webhook")
    name = f"{writer.name.replace(' ', '-')}-hook"
    create(name, "https://8.8.8.8/hook", ["registered_model.created"], description=LETTERS)


def scorers(writer: Writer) -> None:
    register = writer.store("register_scorer")
    for number in range(2):
        register(writer.experiment, f"{writer.name} scorer", json.dumps({"name": "scorer", "number": number}))


def evaluation_datasets(writer: Writer) -> None:
    made = writer.store("create_dataset")(f"{writer.name} data", {"a": LETTERS}, [writer.experiment])
    writer.store("upsert_dataset_records")(
        made.dataset_id, [{"inputs": {"q": f"{LETTERS}{number}"}, "tags": {"t": "v"}} for number in range(3)]
    )


def issues(writer: Writer) -> None:
    create = writer.store("create_issue")
    create(writer.experiment, f"{writer.name} issue", LETTERS, source_run_id=writer.run)


PARTS = (
    *(experiments, experiment_tags, runs, metrics, params, empty_param, tags, batch, datasets),
    *(models, model_words, renamed_model, stages, model_tags, aliases, logged_models),
    *(traces, assessments, webhooks, scorers, evaluation_datasets, issues),
)


def written(writer: Writer) -> Iterator[tuple[str, str]]:
    for part in PARTS:
        try:
            part(writer)
        except Absent:
            yield part.__name__, "absent"
        except Exception as error:  # noqa: BLE001 - it is told
            yield part.__name__, f"{type(error).__name__}: {error}"[:500]
        else:
            yield part.__name__, "written"


def write(uri: str, name: str) -> dict[str, str]:
    mlflow.set_tracking_uri(uri)
    return dict(written(Writer(uri, name)))


def make_tables(uri: str) -> dict[str, str]:
    """The registry's too, where a release has one."""
    client: Any = MlflowClient(uri)
    client.get_experiment("0")
    if hasattr(client, "_get_registry_client"):
        client._get_registry_client()
    return {}


if __name__ == "__main__":
    print(json.dumps(make_tables(sys.argv[1]) if "new" in sys.argv[3:] else write(*sys.argv[1:3])))
