"""Rows to entities."""

from tracking_server.database import rows
from tracking_server.entities.datasets import Dataset, DatasetInput, ModelInput, ModelOutput
from tracking_server.entities.logged_models import LoggedModelStatus
from tracking_server.entities.metrics import Metric, MetricOfRun
from tracking_server.entities.runs import RunStatus
from tracking_server.entities.tags import Param, Tag


def test_children_are_grouped_by_their_owner_in_the_order_of_their_rows() -> None:
    assert rows.tags_by_owner([("r", "b", "1"), ("s", "a", "2"), ("r", "a", None)]) == {
        "r": [Tag("b", "1"), Tag("a", "")],
        "s": [Tag("a", "2")],
    }
    assert rows.params_by_owner([("r", "a", "1")]) == {"r": [Param("a", "1")]}
    assert rows.latest_metrics_by_run([("r", "m", 0.0, 5, 1, True), ("r", "n", 2.0, 6, 2, 0)]) == {
        "r": [Metric("m", "NaN", 5, 1), Metric("n", 2.0, 6, 2)]
    }


def a_run_row(name: str | None = "n", end_time: int | None = None) -> tuple[object, ...]:
    return "r", name, 7, "alice", "FINISHED", 1, end_time, "s3://b/7/r/artifacts", "active"


def test_a_run_of_old_has_its_name_in_a_tag_only() -> None:
    tags = [Tag("mlflow.runName", "tagged")]
    assert rows.run_info(a_run_row(), tags).run_name == "n"
    assert rows.run_info(a_run_row(name=None), tags).run_name == "tagged"
    assert rows.run_info(a_run_row(name=""), tags).run_name == "tagged"
    assert rows.run_info(a_run_row(name="")).run_name is None


def test_a_run_has_its_id_twice_and_no_end_when_that_is_zero() -> None:
    info = rows.run_info(a_run_row(end_time=0))
    assert (info.run_id, info.run_uuid, info.experiment_id) == ("r", "r", "7")
    assert info.status is RunStatus.FINISHED
    assert info.end_time is None
    assert rows.run_info(a_run_row(end_time=9)).end_time == 9


def test_the_tags_of_an_edge_are_those_of_its_dataset() -> None:
    dataset = ("d", "1", "local", "{}", None, None)
    found = rows.dataset_inputs_by_run(
        [
            ("r", "edge-1", *dataset, "a", "1"),
            ("r", "edge-1", *dataset, "b", "2"),
            ("s", "edge-2", *dataset, None, None),
        ]
    )
    described = Dataset(name="d", digest="1", source_type="local", source="{}")
    assert found == {
        "r": [DatasetInput(dataset=described, tags=(Tag("a", "1"), Tag("b", "2")))],
        "s": [DatasetInput(dataset=described)],
    }


def test_models_go_in_and_come_out() -> None:
    edges = [("RUN_INPUT", "r", "m-1", 0), ("RUN_OUTPUT", "r", "m-2", 3)]
    assert rows.model_inputs_by_run(edges) == {"r": [ModelInput("m-1")]}
    assert rows.model_outputs_by_run(edges) == {"r": [ModelOutput("m-2", 3)]}


def test_the_status_of_a_model_is_a_number_in_its_row() -> None:
    model = rows.logged_model(("m-1", 7, "n", "s3://b", 1, 2, 2, "active", "", None, None))
    assert model.info.status is LoggedModelStatus.READY
    assert model.info.source_run_id is None


def test_what_is_not_a_number_needs_no_mark() -> None:
    """As MLflow 1.0 left it on PostgreSQL."""
    nan = float("nan")
    assert rows.latest_metrics_by_run([("r", "m", nan, 5, 1, False)]) == {"r": [Metric("m", "NaN", 5, 1)]}
    assert rows.metric_history([("m", nan, 5, 1, False)]) == [Metric("m", "NaN", 5, 1)]
    assert rows.metrics_of_runs([("m", nan, 5, 1, False, "r")]) == [MetricOfRun("m", "NaN", 5, 1, "r")]
