"""`make parity`: generated calls to MLflow's own server and to ours; 1 when they differ where it is not meant."""

import argparse
import json
import sys
import tempfile
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from tests.support.client import mlflow_server
from tests.support.databases import running_postgresql
from tests.support.mariadb import running_mariadb
from tests.support.parity.calls import Call, call_from_json
from tests.support.parity.sequences import (
    Comparison,
    Tally,
    Unlisted,
    described,
    play_sequence,
    written,
)
from tests.support.parity.servers import Pair
from tests.support.parity.shrinking import shrunk
from tests.support.server import live_server

A_KEY = {"MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": b64encode(bytes(32)).decode()}
"""Without one, secrets of webhooks are refused when several servers share a database."""
FOUND = Path("parity-difference.json")


@contextmanager
def database(engine: str) -> Generator[Mapping[str, str]]:
    """What tells our server to use it."""
    match engine:
        case "postgresql":
            with running_postgresql() as server:
                yield {"MLFLOW_BACKEND_STORE_URI": server.create_database("parity")}
        case "mariadb":
            with running_mariadb() as mariadb:
                yield {"MLFLOW_BACKEND_STORE_URI": mariadb.create_database("parity")}
        case _:
            yield {}


def play(comparison: Comparison, calls: int, seed: int) -> None:
    """At least so many calls. Raises Unlisted."""
    draw = Random(seed)
    while sum(comparison.tally.calls.values()) < calls:
        play_sequence(comparison, draw)


def write_down(comparison: Comparison, seconds: float) -> None:
    def differ(calls: Sequence[Call]) -> bool:
        try:
            comparison.replay(calls)
        except Unlisted:
            return True
        return False

    calls = shrunk(list(comparison.sequence), differ, seconds)
    FOUND.write_text(written(calls))
    print("\n".join(f"  {call}" for call in calls), f"\nmake parity REPLAY={FOUND}")


def report(tally: Tally) -> None:
    for endpoint, number in sorted(tally.calls.items()):
        print(f"{number:7d}  {endpoint}")
    print(f"{sum(tally.calls.values()):7d}  calls in all; answers of MLflow's server:")
    for answer, number in tally.answers.most_common():
        print(f"{number:7d}  {answer}")
    print(f"{sum(tally.quirks.values()):7d}  differences that are meant:")
    for name, number in tally.quirks.most_common():
        print(f"{number:7d}  {name}")
    for kind, exchanges in sorted(tally.surprises.items()):
        print(f"\n{len(exchanges)} times {kind}\n{described(exchanges[0])}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.parity")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--survey", action="store_true", help="list all differences, shrunk none")
    parser.add_argument("--messages", action="store_true", help="print the messages of errors side by side")
    parser.add_argument("--replay", type=Path, help="a file that an earlier difference was written to")
    parser.add_argument("--shrink-seconds", type=float, default=60)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trackplane-parity-", dir=_memory())))
        for name in ("ours", "theirs"):
            (folder / name).mkdir()
        environ = stack.enter_context(database(options.database))
        theirs = stack.enter_context(mlflow_server(folder / "theirs"))
        ours = stack.enter_context(live_server(folder / "ours", environ={**environ, **A_KEY}))
        pair = Pair(ours.url, theirs, (str(folder / "ours"), str(folder / "theirs")))
        stack.callback(pair.close)
        comparison = Comparison(
            pair=pair, tally=Tally(), is_survey=options.survey, folds_case=options.database == "mariadb"
        )
        try:
            if options.replay:
                comparison.replay([call_from_json(call) for call in json.loads(options.replay.read_text())])
            else:
                play(comparison, options.calls, options.seed)
        except Unlisted as failure:
            report(comparison.tally)
            print(f"\nThe servers differ:\n{failure}\n\nMaking the sequence shorter ...", flush=True)
            write_down(comparison, options.shrink_seconds)
            return 1
    report(comparison.tally)
    if options.messages:
        for exchange in comparison.tally.messages.values():
            print(f"\n{exchange.call.endpoint}\n  ours   {exchange.ours}\n  theirs {exchange.theirs}")
    return 1 if comparison.tally.surprises else 0


def _memory() -> str | None:
    """Nothing of it is to last."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
