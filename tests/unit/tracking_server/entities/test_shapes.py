"""One shape for a thing and its JSON: what is left out, what is not."""

import msgspec
import pytest

from tracking_server.entities.datasets import RunInputs, RunOutputs
from tracking_server.entities.lifecycle import LifecycleStage, ViewType
from tracking_server.entities.metrics import Metric, NewMetric
from tracking_server.entities.runs import CreateRun, FoundRuns, Run, RunData, RunInfo, RunStatus
from tracking_server.entities.tags import Tag


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def test_unset_fields_and_empty_lists_are_left_out_but_set_ones_stay() -> None:
    info = RunInfo(
        run_id="r",
        run_uuid="r",
        experiment_id="0",
        user_id="",
        status=RunStatus.RUNNING,
        start_time=0,
        lifecycle_stage="active",
    )
    run = Run(info=info, data=RunData(), inputs=RunInputs(), outputs=RunOutputs())
    assert as_json(run) == (
        '{"info":{"run_id":"r","run_uuid":"r","experiment_id":"0","user_id":"","status":"RUNNING","start_time":0,'
        '"lifecycle_stage":"active"},"data":{},"inputs":{},"outputs":{}}'
    )
    assert as_json(FoundRuns()) == "{}"


def test_an_empty_tag_value_is_a_value() -> None:
    assert as_json(Tag("k")) == '{"key":"k","value":""}'


def test_nan_is_text_and_the_other_numbers_are_numbers() -> None:
    assert as_json(Metric("m", "NaN", 1, 0)) == '{"key":"m","value":"NaN","timestamp":1,"step":0}'
    assert (
        as_json(Metric("m", 1.0, 1, -2, run_id="r")) == '{"key":"m","value":1.0,"timestamp":1,"step":-2,"run_id":"r"}'
    )


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('{"experiment_id":"0","colour":"red"}', CreateRun),
        ('{"experiment_id":""}', CreateRun),
        ('{"experiment_id":"0","start_time":9223372036854775808}', CreateRun),
        ('{"key":"m","value":1,"timestamp":1,"colour":"red"}', NewMetric),
        ('{"key":"","value":"v"}', Tag),
    ],
)
def test_requests_are_exact(text: str, shape: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=shape, strict=False)


def test_a_view_is_of_stages() -> None:
    assert ViewType.ACTIVE_ONLY.stages == (LifecycleStage.ACTIVE,)
    assert ViewType.DELETED_ONLY.stages == (LifecycleStage.DELETED,)
    assert set(ViewType.ALL.stages) == set(LifecycleStage)
