"""Log lines of this process, as JSON objects or as text: the message is constant, the facts are fields beside it."""

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Any, Final, Literal

_KNOWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OF_KOPF: Final = frozenset({"settings", "k8s_skip", "k8s_ref"})
"""What kopf hangs on its records for its own use; the reference to the object becomes our `object`."""


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was logged beside the message."""
    ref: dict[str, str] | None = record.__dict__.get("k8s_ref")
    about = {"object": f"{ref.get('kind')} {ref.get('namespace')}/{ref.get('name')}"} if ref else {}
    extra = {key: value for key, value in record.__dict__.items() if key not in _KNOWN and key not in _OF_KOPF}
    return {**about, **extra}


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts_of(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        facts = " ".join(f"{key}={value}" for key, value in facts_of(record).items())
        line = f"{time} {record.levelname.lower():7} {record.name}: {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logging(log_format: Literal["json", "text"], level: str) -> None:
    """Everything goes to the standard error stream; kopf and the libraries say only what a person may need."""
    formatter = JsonFormatter if log_format == "json" else TextFormatter
    others = level.upper() if level == "debug" else "WARNING"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": formatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": others, "handlers": ["stderr"]},
            "loggers": {"tracking_operator": {"level": level.upper()}},
        }
    )
