"""Logged models to search, in a database and as plain values, and what a search of them must find, said in Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert

from tracking_server.database import schema


@dataclass(frozen=True, kw_only=True, slots=True)
class SeededPoint:
    name: str
    value: float
    timestamp: int = 1
    step: int = 0
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeededModel:
    model_id: str
    experiment_id: int = 1
    name: str = "model"
    model_type: str | None = ""
    source_run_id: str | None = "a0"
    status: int = 1
    created: int = 1000
    updated: int = 1000
    lifecycle_stage: str = "active"
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    points: Sequence[SeededPoint] = ()


MODELS = (
    SeededModel(
        model_id="m-a0",
        name="forest",
        model_type="tree",
        params={"depth": "3", "Loss": "mse"},
        tags={"team": "a_b"},
        points=[
            SeededPoint(name="acc", value=0.9, dataset_name="iris", dataset_digest="d1"),
            SeededPoint(name="acc", value=0.5, timestamp=2, dataset_name="mnist", dataset_digest="d2"),
            SeededPoint(name="loss", value=0.25),
        ],
    ),
    SeededModel(
        model_id="m-a1",
        name="Forest",
        model_type="Tree",
        status=2,
        created=2000,
        params={"depth": "10"},
        tags={"team": "aXb"},
        points=[
            SeededPoint(name="acc", value=0.7, dataset_name="iris", dataset_digest="d1"),
            SeededPoint(name="acc", value=0.8, step=5),
        ],
    ),
    SeededModel(model_id="m-a2", name="line", status=2, created=2000, updated=3000, source_run_id="a1"),
    SeededModel(model_id="m-a3", name="50%", status=3, model_type=None, source_run_id=None, tags={"team": "Ünï"}),
    SeededModel(
        model_id="m-a4",
        name="modèle",
        created=2**53 + 1,
        points=[SeededPoint(name="acc", value=-1.0), SeededPoint(name="a b/c", value=3)],
    ),
    SeededModel(model_id="m-a5", name="gone", lifecycle_stage="deleted", params={"depth": "3"}),
    SeededModel(
        model_id="m-b0",
        experiment_id=2,
        name="forest",
        status=2,
        source_run_id="b0",
        params={"depth": "", "path": "C:\\x"},
        points=[SeededPoint(name="acc", value=0.5, dataset_digest="d1", dataset_name="iris")],
    ),
    SeededModel(model_id="m-c0", experiment_id=3, name="elsewhere"),
)


def seed(connection: Connection) -> None:
    """Where `searched_runs` has been."""
    for model in MODELS:
        _seed_model(connection, model)


def _seed_model(connection: Connection, model: SeededModel) -> None:
    of_model = {"model_id": model.model_id, "experiment_id": model.experiment_id}
    connection.execute(
        insert(schema.logged_models).values(
            **of_model,
            name=model.name,
            artifact_location=f"mlflow-artifacts:/{model.experiment_id}/models/{model.model_id}/artifacts",
            creation_timestamp_ms=model.created,
            last_updated_timestamp_ms=model.updated,
            status=model.status,
            lifecycle_stage=model.lifecycle_stage,
            model_type=model.model_type,
            source_run_id=model.source_run_id,
        )
    )
    for key, value in model.params.items():
        connection.execute(insert(schema.logged_model_params).values(**of_model, param_key=key, param_value=value))
    for key, value in model.tags.items():
        connection.execute(insert(schema.logged_model_tags).values(**of_model, tag_key=key, tag_value=value))
    for point in model.points:
        connection.execute(
            insert(schema.logged_model_metrics).values(
                **of_model,
                run_id=model.source_run_id or "a0",
                metric_name=point.name,
                metric_value=point.value,
                metric_timestamp_ms=point.timestamp,
                metric_step=point.step,
                dataset_name=point.dataset_name,
                dataset_digest=point.dataset_digest,
            )
        )
