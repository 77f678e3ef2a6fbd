import json
import logging
from typing import Any

from tracking_operator.handlers.logs import JsonFormatter, TextFormatter


def a_record(message: str = "reconcile failed", **extra: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "tracking_operator.queue", "levelname": "ERROR", "msg": message, "created": 1767323045.25, **extra}
    )


def test_a_line_is_one_object_with_the_facts_beside_the_message() -> None:
    line = JsonFormatter().format(a_record(object="TrackingServer team/tracking", retry_seconds=2.5))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.250+00:00",
        "level": "error",
        "logger": "tracking_operator.queue",
        "message": "reconcile failed",
        "object": "TrackingServer team/tracking",
        "retry_seconds": 2.5,
    }


def test_a_traceback_stays_on_the_line() -> None:
    error = ValueError("a bug")
    line = JsonFormatter().format(a_record(exc_info=(ValueError, error, error.__traceback__)))
    assert "\n" not in line
    assert "ValueError: a bug" in json.loads(line)["traceback"]


def test_the_object_of_kopf_is_ours_and_its_own_things_are_left_out() -> None:
    reference = {"kind": "TrackingServer", "namespace": "team", "name": "tracking"}
    line = json.loads(JsonFormatter().format(a_record(k8s_ref=reference, k8s_skip=True, settings=object())))
    assert line["object"] == "TrackingServer team/tracking"
    assert not {"k8s_ref", "k8s_skip", "settings"} & set(line)


def test_text_is_for_people() -> None:
    line = TextFormatter().format(a_record(retry_seconds=2))
    assert line == "03:04:05.250 error   tracking_operator.queue: reconcile failed retry_seconds=2"
