"""How a command that runs as a job ends: one JSON report for whoever started it, one exit code, no secret in either."""

import traceback
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn, cast

import click
import msgspec

from tracking_server.database.failures import explain
from tracking_server.database.urls import mask
from tracking_server.errors import CommandFailed, DatabaseUnreachable, TemporarilyUnavailable

REPORT_FILE: Final = "TRACKPLANE_REPORT_FILE"
"""Names the file of the report; in a cluster the termination log, of which Kubernetes keeps so much:"""
LIMIT_BYTES: Final = 4096


@dataclass(kw_only=True, slots=True)
class Report:
    """What a command has to say about itself so far. A failure says it too."""

    facts: dict[str, object] = field(default_factory=dict[str, object])

    def tell(self, **facts: object) -> None:
        """Values are what JSON can hold. Lists are shortened from their end when the report grows too long."""
        self.facts.update(facts)


@contextmanager
def reporting(
    command: str, report_file: Path | None, failure: type[CommandFailed], *, prints_json: bool = False
) -> Generator[Report]:
    """Around all that a job command does. Any error ends the process: `failure` is what an unforeseen one counts as."""
    report = Report()
    try:
        yield report
    except CommandFailed as error:
        _fail(command, report, error, report_file, prints_json=prints_json)
    except TemporarilyUnavailable as error:
        _fail(command, report, DatabaseUnreachable(explain(error)), report_file, prints_json=prints_json)
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the report must say that the job failed
        click.echo(mask(traceback.format_exc()), err=True)
        unforeseen = failure(f"Unforeseen {type(error).__name__}: {error}. The log has the traceback.")
        _fail(command, report, unforeseen, report_file, prints_json=prints_json)
    _write({"ok": True, "command": command, **report.facts}, report_file, prints_json=prints_json)


def _fail(
    command: str, report: Report, error: CommandFailed, report_file: Path | None, *, prints_json: bool
) -> NoReturn:
    content = {"ok": False, "command": command, "reason": error.reason, "message": error.message, **report.facts}
    _write(content, report_file, prints_json=prints_json)
    click.echo(f"{error.reason}: {mask(error.message)}", err=True)
    raise SystemExit(error.exit_code)


def _write(content: Mapping[str, object], report_file: Path | None, *, prints_json: bool) -> None:
    if prints_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_masked(content)), indent=2))
    if report_file is None:
        return
    try:
        report_file.write_bytes(encode_report(content))  # in place: the termination log is a mount, not to be replaced
    except OSError as error:
        click.echo(f"warning: the report was not written to {report_file}: {error.strerror}", err=True)


def encode_report(content: Mapping[str, object], limit_bytes: int = LIMIT_BYTES) -> bytes:
    """JSON of at most so many bytes: lists lose their end, `<name>_total` then counts them; then texts lose theirs."""
    fitted = _masked(content)
    while len(encoded := msgspec.json.encode(fitted)) > limit_bytes:
        excess = len(encoded) - limit_bytes
        lists = {key: cast("list[object]", value) for key, value in fitted.items() if value and isinstance(value, list)}
        texts = {key: value for key, value in fitted.items() if isinstance(value, str) and len(value) > 1}
        if lists:
            name, items = max(lists.items(), key=lambda item: len(msgspec.json.encode(item[1])))
            fitted.setdefault(f"{name}_total", len(items))
            fitted[name] = _without_end(items, excess)
        elif texts:
            name, text = max(texts.items(), key=lambda item: len(item[1]))
            fitted[name] = text[: max(0, len(text) - excess - 8)] + "…"
        else:
            return msgspec.json.encode({"ok": fitted.get("ok", False)})
    return encoded


def _without_end(items: list[object], excess: int) -> list[object]:
    """At least one fewer, and as many as make up the excess."""
    kept = list(items)
    dropped = 0
    while kept and dropped <= excess:
        dropped += len(msgspec.json.encode(kept.pop())) + 1
    return kept


def _masked(content: Mapping[str, object]) -> dict[str, object]:
    return {key: _masked_value(value) for key, value in content.items()}


def _masked_value(value: object) -> object:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return _masked(cast("Mapping[str, object]", value))
    if isinstance(value, list | tuple):
        return [_masked_value(item) for item in cast("Sequence[object]", value)]
    return value
