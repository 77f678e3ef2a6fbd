import logging

import msgspec
import pytest

from tracking_server.commands.logs import JsonFormatter


def line_of(record: logging.LogRecord) -> dict[str, object]:
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line: dict[str, object] = msgspec.json.decode(text)
    return line


def test_a_record_is_one_line_of_json_with_its_facts() -> None:
    record = logging.makeLogRecord(
        {
            "name": "tracking_server.web",
            "levelno": logging.INFO,
            "levelname": "INFO",
            "msg": "request %s",
            "args": ("one\ntwo",),
            "created": 0.0015,
            "status": 200,
            "path": "/größe",
        }
    )
    assert line_of(record) == {
        "time": "1970-01-01T00:00:00.001+00:00",
        "level": "info",
        "logger": "tracking_server.web",
        "message": "request one\ntwo",
        "status": 200,
        "path": "/größe",
    }


def test_a_traceback_is_a_fact_too() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        divmod(1, 0)
    error = (caught.type, caught.value, caught.tb)
    record = logging.makeLogRecord({"msg": "unexpected error", "exc_info": error})
    assert "ZeroDivisionError: integer division" in str(line_of(record)["traceback"])


def test_facts_that_json_does_not_know_are_told_as_text() -> None:
    assert line_of(logging.makeLogRecord({"msg": "m", "place": ValueError("v")}))["place"] == "v"


def test_text_that_is_not_unicode_is_told_all_the_same() -> None:
    assert line_of(logging.makeLogRecord({"msg": "m", "path": "\ud800"}))["path"] == "\\ud800"
