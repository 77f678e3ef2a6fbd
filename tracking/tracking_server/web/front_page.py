"""The page at `/`: what this is, how to point a client at it, what is new. No script, and no request elsewhere."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from tracking_server.entities.experiments import Experiment, SearchExperiments
from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.runs import Run, SearchRuns
from tracking_server.services.context import Context
from tracking_server.services.search import search_experiments, search_runs
from tracking_server.web.route import HTML, Route
from tracking_server.web.service_routes import MLFLOW_VERSION
from tracking_server.wire.raw import RawRequest

if TYPE_CHECKING:
    from jinja2 import Template

_SHOWN: Final = 10
_FOLDER: Final = files("tracking_server.web") / "templates"
_STYLE: Final = (_FOLDER / "front_page.css").read_text()
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """`url` is what a client is pointed at, `prefix` what comes before every path."""

    url: str
    prefix: str
    upstream: str = ""
    """The tracking server that keeps the data, when it is not this one."""
    experiments: Sequence[Experiment] = ()
    runs: Sequence[Run] = ()


def front_page_route(static_prefix: str, *, upstream: str = "") -> Route[Page, Page]:
    """A server that passes calls on to `upstream` shows nothing of what is there."""

    def decode(raw: RawRequest) -> Page:
        return Page(url=f"{raw.base_url}{static_prefix}", prefix=static_prefix, upstream=upstream)

    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Route(
        method="GET",
        path="/",
        decode=decode,
        service=_as_it_is if upstream else newest,
        encode=render,
        content_type=HTML,
        headers=headers,
    )


def _as_it_is(page: Page, _: Context) -> Page:
    return page


def newest(page: Page, context: Context) -> Page:
    """Runs of the experiments on the page only: the newest of all would be a scan of all runs."""
    found = search_experiments(
        SearchExperiments(max_results=_SHOWN, order_by=("creation_time DESC",), view_type=ViewType.ACTIVE_ONLY),
        context,
    )
    runs: Sequence[Run] = ()
    if found.experiments:
        identifiers = tuple(experiment.experiment_id for experiment in found.experiments)
        wanted = SearchRuns(experiment_ids=identifiers, max_results=_SHOWN, order_by=("attributes.start_time DESC",))
        runs = search_runs(wanted, context).runs
    return Page(url=page.url, prefix=page.prefix, experiments=found.experiments, runs=runs)


def render(page: Page) -> bytes:
    text = _template().render(
        url=page.url,
        prefix=page.prefix,
        upstream=page.upstream,
        style=Markup(_STYLE),  # noqa: S704 - our own file; its hash is in the policy
        version=version("trackplane"),
        mlflow_version=MLFLOW_VERSION,
        experiments=page.experiments,
        names={experiment.experiment_id: experiment.name for experiment in page.experiments},
        runs=page.runs,
    )
    return text.encode(errors="replace")


@cache
def _template() -> "Template":
    """Loaded for the first reader: a server starts without it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["moment"] = _moment
    environment.filters["number"] = _number
    return environment.from_string((_FOLDER / "front_page.html").read_text())


def _moment(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):  # somebody's clock, or seconds taken for milliseconds
        return str(milliseconds)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
