"""Measures Trackplane beside MLflow's own server: `make bench`. What it prints, docs/performance.md explains."""

import argparse
import json
import platform
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.bench import seeds, workloads
from tests.bench.contenders import GTHREAD, MLFLOW, OURS, Place, Running, running
from tests.bench.load import put_under_load
from tests.bench.processes import cpu_seconds
from tests.bench.report import Figures, as_json, markdown, with_table
from tests.bench.seeds import SCALES, Scale
from tests.bench.single import SINGLE, Single
from tests.bench.workloads import THROUGHPUT, Throughput
from tests.support.databases import PostgreSql, opened, running_postgresql
from tests.support.environments import ROOT
from tracking_server.database.migrations.upgrade import upgrade

PAGE: Final = ROOT / "docs" / "performance.md"
AGAIN: Final = "trackplane-again"
"""Ours a second time: to see what the machine's noise is, and to try the measurements themselves."""
AGAINST: Final = [MLFLOW, GTHREAD]
NAMES: Final = (*(each.name for each in SINGLE), *(each.name for each in THROUGHPUT))


def main() -> None:
    arguments = _arguments()
    scale = SCALES[arguments.scale]
    servers: list[str] = [OURS, *arguments.against]
    with tempfile.TemporaryDirectory(prefix="trackplane-bench-") as folder, ExitStack() as held:
        places = held.enter_context(_places(Path(folder), arguments.database, servers, scale))
        rows = list(_measured(places, scale, arguments.workloads))
    page = _page(arguments, rows, servers)
    print(page)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(as_json(rows, servers[1]), indent=1))
    if arguments.write:
        PAGE.write_text(with_table(PAGE.read_text(), arguments.database, page))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--workloads", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--against", nargs="+", choices=[MLFLOW, GTHREAD, AGAIN], default=AGAINST)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there, of every round")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


def _say(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


# The databases


@contextmanager
def _places(folder: Path, database: str, servers: Sequence[str], scale: Scale) -> Generator[list[Place]]:
    """A folder and a filled database for each server."""
    with ExitStack() as held:
        postgresql = held.enter_context(running_postgresql(durable=True)) if database == "postgresql" else None
        _say(f"filling a database of {database}")
        with opened(_new_database(folder, "template", postgresql)) as template:
            seeds.seed(template, scale)
        places: list[Place] = []
        for server in servers:
            home = folder / server
            home.mkdir()
            places.append(Place(server=server, folder=home, database_url=_copy(folder, server, postgresql)))
            if server not in {MLFLOW, GTHREAD}:
                with opened(places[-1].database_url) as ours:
                    upgrade(ours)
            places[-1].artifacts.mkdir()
            workloads.put_files(places[-1].artifacts, scale)
        yield places


def _new_database(folder: Path, name: str, postgresql: PostgreSql | None) -> str:
    return f"sqlite:///{folder / name}.db" if postgresql is None else postgresql.create_database(name)


def _copy(folder: Path, name: str, postgresql: PostgreSql | None) -> str:
    if postgresql is not None:
        return postgresql.create_database(name, "template")
    shutil.copyfile(folder / "template.db", folder / f"{name}.db")
    return f"sqlite:///{folder / name}.db"


# The measurements: within a round, one server after the other


def _measured(places: Sequence[Place], scale: Scale, names: Sequence[str]) -> Iterator[Figures]:
    chosen = [each for each in SINGLE if each.name in names]
    for single in chosen:
        if single.starts_anew:
            yield from _measure_starts(single, places, scale)
    with ExitStack() as held:
        _say("starting the servers")
        servers = [held.enter_context(running(place)) for place in places]
        for throughput in THROUGHPUT:
            if throughput.name in names:
                yield _measure_load(throughput, servers, scale)
        for single in chosen:
            if not single.starts_anew:
                yield from _measure_single(single, [each for each in servers if each.place.server != GTHREAD], scale)


def _measure_starts(single: Single, places: Sequence[Place], scale: Scale) -> list[Figures]:
    rows = _rows_of(single)
    for number in range(min(single.rounds, scale.rounds)):
        for place in places:
            _say(f"{single.name}, round {number + 1}: {place.server}")
            with running(place) as server:
                _add(rows, place.server, single.measure(server, scale))
    return rows


def _measure_single(single: Single, servers: Sequence[Running], scale: Scale) -> list[Figures]:
    rows = _rows_of(single)
    for number in range(min(single.rounds, scale.rounds)):
        for server in servers:
            _say(f"{single.name}, round {number + 1}: {server.place.server}")
            _add(rows, server.place.server, single.measure(server, scale))
    return rows


def _rows_of(single: Single) -> list[Figures]:
    return [
        Figures(title=row.title, unit=row.unit, more_is_better=False, bar=row.bar, most=row.most) for row in single.rows
    ]


def _add(rows: Sequence[Figures], server: str, values: Sequence[float]) -> None:
    for row, value in zip(rows, values, strict=True):
        row.add(server, value)


def _measure_load(throughput: Throughput, servers: Sequence[Running], scale: Scale) -> Figures:
    row = Figures(
        title=throughput.title,
        unit=throughput.unit,
        more_is_better=True,
        bar=throughput.bar,
        bar_of_gthread=throughput.bar_of_gthread,
    )
    load = throughput.load(scale)
    for server in servers:  # a server's first request of a kind has much to load and to prepare
        put_under_load(server.port, replace(load, seconds=0))
    for number in range(scale.rounds):
        for server in servers:
            cpu = cpu_seconds(server.pid)
            measured = put_under_load(server.port, load)
            cpu_ms = (cpu_seconds(server.pid) - cpu) * 1000 / measured.requests
            rate = measured.rate * throughput.per_request(scale)
            row.add(server.place.server, rate, cpu_ms)
            _say(
                f"{throughput.name}, round {number + 1}: {server.place.server} {rate:.2f} {throughput.unit},"
                f" median {measured.median_ms:.1f} ms, {cpu_ms:.2f} ms of processor a request;"
                f" the load took {measured.client_cpu_seconds / measured.seconds:.0%} of a processor"
                + (f"; {measured.cut_off} ANSWERS CUT OFF" if measured.cut_off else "")
            )
    return row


# What is printed


def _page(arguments: argparse.Namespace, rows: Sequence[Figures], servers: Sequence[str]) -> str:
    options = {"DATABASE": arguments.database}
    if list(arguments.workloads) != list(NAMES):
        options["WORKLOADS"] = shlex.quote(" ".join(arguments.workloads))
    if arguments.scale != "full":
        options["SCALE"] = arguments.scale
    if servers[1:] != AGAINST:
        options["AGAINST"] = shlex.quote(" ".join(servers[1:]))
    command = " ".join(("make bench", *(f"{name}={value}" for name, value in options.items())))
    machine = f"{_processors()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    smaller = "" if arguments.scale == "full" else " A try: all sizes are smaller than the names of the rows say."
    return f"`{command}` on {time.strftime('%Y-%m-%d')}: {machine}.{smaller}\n\n{markdown(rows, servers)}"


def _processors() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{len(models)} x {models[0]}" if models else f"{platform.machine()}"


if __name__ == "__main__":
    main()
