"""`make fuzz`: garbage on every route for some time; ends with 1 when an answer was not what it has to be."""

import argparse
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.databases import running_postgresql
from tests.support.fuzzing.fuzzer import Fuzzer
from tests.support.mariadb import running_mariadb
from tests.support.server import live_server


@contextmanager
def _database(engine: str) -> Generator[dict[str, str]]:
    """The environment that makes a server use it."""
    if engine == "postgresql":
        with running_postgresql() as server:
            yield {"MLFLOW_BACKEND_STORE_URI": server.create_database("fuzz")}
    elif engine == "mariadb":
        with running_mariadb() as server:
            yield {"MLFLOW_BACKEND_STORE_URI": server.create_database("fuzz")}
    else:
        yield {}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzzing")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="trackplane-fuzz-") as folder,
        _database(options.database) as environ,
        live_server(Path(folder), environ={**environ, "MLFLOW_LOGGING_LEVEL": "WARNING"}) as server,
        closing(Fuzzer(server.port, options.seed)) as fuzzer,
    ):
        deadline = time.monotonic() + options.seconds
        fuzzer.smuggle()
        while time.monotonic() < deadline:
            fuzzer.step()
        fuzzer.look_back(server.log)
    print("\n".join(fuzzer.tally.report()))
    return 1 if fuzzer.tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
