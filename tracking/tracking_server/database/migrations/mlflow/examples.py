"""A row for each step that works through rows, so that a dry run on empty tables sees what is sent for them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

MARK: Final = "trackplane-example"
"""In the key of every row here, and so in what is sent for it."""

Row = tuple[str, Mapping[str, Any]]
"""A table, and a value for each column that needs one."""


def _run(number: int) -> Sequence[Row]:
    experiment = {"experiment_id": number, "name": f"{MARK}-{number}", "lifecycle_stage": "active"}
    run = {"run_uuid": f"{MARK}-{number}", "user_id": "somebody", "experiment_id": number, "lifecycle_stage": "active"}
    return ("experiments", experiment), ("runs", run)


_TRACE: Final[Sequence[Row]] = (
    ("experiments", {"experiment_id": 3, "name": f"{MARK}-3", "lifecycle_stage": "active"}),
    ("trace_info", {"request_id": MARK, "experiment_id": 3, "timestamp_ms": 1, "status": "OK"}),
    ("trace_tags", {"request_id": MARK, "key": "mlflow.traceName", "value": "a"}),
    ("trace_request_metadata", {"request_id": MARK, "key": "mlflow.trace.session", "value": "a"}),
    ("trace_metrics", {"request_id": MARK, "key": "input_tokens", "value": 1.0}),
    (
        "spans",
        {
            "trace_id": MARK,
            "experiment_id": 3,
            "span_id": MARK,
            "status": "OK",
            "start_time_unix_nano": 1,
            "content": "{}",
        },
    ),
    ("span_metrics", {"trace_id": MARK, "span_id": MARK, "key": "input_cost", "value": 1.0}),
    (
        "assessments",
        {
            "assessment_id": MARK,
            "trace_id": MARK,
            "name": "a",
            "assessment_type": "feedback",
            "value": "1",
            "created_timestamp": 1,
            "last_updated_timestamp": 1,
            "source_type": "HUMAN",
            "valid": True,
        },
    ),
)

EXAMPLES: Final[Mapping[str, Sequence[Row]]] = MappingProxyType(
    {
        "90e64c465722": _run(1),
        "89d4b8295536": (
            *_run(2),
            (
                "metrics",
                {"key": MARK, "value": 1.0, "timestamp": 1, "step": 1, "is_nan": False, "run_uuid": f"{MARK}-2"},
            ),
        ),
        "75868b020152": _TRACE,
    }
)
"""By the step that they are there before."""
