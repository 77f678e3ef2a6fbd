"""`make roundtrip`: generated rows from each engine to each and back, and values that do not fit; 1 if any is wrong."""

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.support.databases import ENGINES, running_postgresql
from tests.support.mariadb import running_mariadb
from tests.support.roundtrip.generated import generate
from tests.support.roundtrip.trips import Places, Server, refused, there_and_back


def main() -> int:
    arguments = _arguments()
    chosen: list[str] = arguments.engines
    rows = generate(arguments.seed, arguments.rows)
    print(f"seed {arguments.seed}: {sum(map(len, rows.values())):,} rows in {len(rows)} tables")
    with tempfile.TemporaryDirectory(prefix="trackplane-roundtrip-") as folder, ExitStack() as running:
        servers: dict[str, Server] = {}
        if "postgresql" in chosen:
            servers["postgresql"] = running.enter_context(running_postgresql())
        if "mariadb" in chosen:
            servers["mariadb"] = running.enter_context(running_mariadb())
        places = Places(Path(folder), servers)
        found = 0
        for first in chosen:
            for other in chosen:
                began = time.monotonic()
                wrong = list(there_and_back(places, first, [other], rows))
                if first != other:
                    wrong += refused(places, first, other, arguments.seed)
                found += len(wrong)
                print(f"{first} -> {other} -> {first}: {len(wrong)} differences, {time.monotonic() - began:.1f} s")
                print(*(f"  {each[:2000]}" for each in wrong), sep="\n", end="\n" if wrong else "")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.roundtrip", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--rows", type=int, default=30, help="of each table")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
