"""A server's database and its folder of artifacts, for tests of garbage collection."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import String, Text, func, insert, select
from sqlalchemy import cast as sql_cast

from tests.support.api_calls import Api
from tracking_server.artifacts.open_store import open_roots
from tracking_server.artifacts.roots import Root
from tracking_server.collect.collector import collect
from tracking_server.collect.outcome import Outcome, Wanted
from tracking_server.database import schema
from tracking_server.database.transactions import Database

LATER: Final = 4_000_000_000_000
"""After everything that happens here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """A server's database and its folder of artifacts."""

    api: Api
    database: Database
    folder: Path

    @property
    def roots(self) -> list[Root]:
        return list(open_roots(str(self.folder), "mlflow-artifacts:/", Path("/")))

    def experiment(self, name: str, **fields: object) -> str:
        return str(self.api.post("experiments/create", name=name, **fields)["experiment_id"])

    def run(self, experiment_id: str) -> str:
        """With something of everything that a run can have, and two files."""
        run_id = str(self.api.post("runs/create", experiment_id=experiment_id, start_time=1)["run"]["info"]["run_id"])
        self.api.post(
            "runs/log-batch",
            run_id=run_id,
            metrics=[{"key": "m", "value": step, "timestamp": step, "step": step} for step in range(3)],
            params=[{"key": "p", "value": "v"}],
            tags=[{"key": "t", "value": "v"}],
        )
        datasets = [
            {"dataset": dataset(name), "tags": [{"key": "mlflow.data.context", "value": "x"}]}
            for name in ("shared", f"of-{run_id}")
        ]
        self.api.post("runs/log-inputs", run_id=run_id, datasets=datasets)
        with self.database.write() as connection:
            edge = {"association_id": f"a-{run_id}", "source_type": "trace", "source_id": "tr"}
            connection.execute(
                insert(schema.entity_associations).values(destination_type="run", destination_id=run_id, **edge)
            )
        self.put(f"{experiment_id}/{run_id}/artifacts/a.txt", f"{experiment_id}/{run_id}/artifacts/deep/er/b.txt")
        return run_id

    def model(self, experiment_id: str, run_id: str = "") -> str:
        fields = {"experiment_id": experiment_id, "source_run_id": run_id, "params": [{"key": "p", "value": "v"}]}
        tags = [{"key": "t", "value": "v"}]
        model_id = str(self.api.post("logged-models", **fields, tags=tags)["model"]["info"]["model_id"])
        if run_id:
            self.api.post("runs/outputs", run_id=run_id, models=[{"model_id": model_id, "step": 1}])
            point = {"key": "mm", "value": 1, "timestamp": 1, "model_id": model_id}
            self.api.post("runs/log-batch", run_id=run_id, metrics=[point])
        self.put(f"{experiment_id}/models/{model_id}/artifacts/MLmodel")
        return model_id

    def trace(self, experiment_id: str, trace_id: str = "tr-1") -> None:
        """With a span, an assessment and a file."""
        uri = f"mlflow-artifacts:/{experiment_id}/traces/{trace_id}/artifacts"
        self.put(f"{experiment_id}/traces/{trace_id}/artifacts/traces.json")
        with self.database.write() as connection:
            trace = {"request_id": trace_id, "experiment_id": int(experiment_id), "timestamp_ms": 1, "status": "OK"}
            connection.execute(insert(schema.trace_info).values(trace))
            connection.execute(
                insert(schema.trace_tags).values(request_id=trace_id, key="mlflow.artifactLocation", value=uri)
            )
            span = {"trace_id": trace_id, "experiment_id": int(experiment_id), "span_id": "s", "status": "OK"}
            connection.execute(insert(schema.spans).values(**span, start_time_unix_nano=1, content="{}"))
            assessment: dict[str, object] = {
                "assessment_id": "a",
                "trace_id": trace_id,
                "name": "n",
                "assessment_type": "feedback",
            }
            assessment |= {"value": "1", "source_type": "HUMAN", "valid": True, "experiment_id": int(experiment_id)}
            times = {"created_timestamp": 1, "last_updated_timestamp": 1}
            connection.execute(insert(schema.assessments).values(**assessment, **times))

    def version(self, **fields: object) -> None:
        row = {"name": "model", "version": 1, "current_stage": "None", "workspace": "default", **fields}
        with self.database.write() as connection:
            connection.execute(insert(schema.registered_models).values(name="model", workspace="default"))
            connection.execute(insert(schema.model_versions).values(row))

    def put(self, *paths: str) -> None:
        for path in paths:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text("12345")

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    def rows(self) -> Mapping[str, int]:
        with self.database.read() as connection:
            tables = (*schema.metadata.sorted_tables, schema.trackplane_gc_claims)
            return {
                table.name: count
                for table in tables
                if (count := connection.scalar(select(func.count()).select_from(table)) or 0)
            }

    def mentions(self, item_id: str) -> list[str]:
        """The columns of all tables in which the id stands."""
        found: list[str] = []
        with self.database.read() as connection:
            for table in schema.metadata.sorted_tables:
                for column in table.columns:
                    if isinstance(column.type, String | Text):
                        like = sql_cast(column, Text).like(f"%{item_id}%")
                        if connection.execute(select(table).where(like).limit(1)).first() is not None:
                            found.append(f"{table.name}.{column.name}")
        return found

    def collect(self, **fields: Any) -> Outcome:
        is_dry_run = bool(fields.pop("is_dry_run", False))
        roots = fields.pop("roots", None) or self.roots
        wanted = replace(Wanted(deleted_before=LATER), **fields)
        return collect(self.database, roots, wanted, claim_id="c", now=LATER, is_dry_run=is_dry_run)


def dataset(name: str) -> Mapping[str, str]:
    return {"name": name, "digest": "d", "source_type": "local", "source": "{}"}
