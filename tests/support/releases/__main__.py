"""`make releases`: whether ours leaves of databases what MLflow's own upgrade leaves, and reads the same; 1 if not."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.databases import ENGINES
from tests.support.releases.adoption import ReleaseFailed, adopt, open_release
from tests.support.releases.engines import place_on


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.releases")
    parser.add_argument("releases", nargs="+", help="such as 1.13, its last repair, or 2.9.2")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--seeds", type=int, default=2, help="times that odd rows are put into every table")
    parser.add_argument("--kills", type=int, default=0, help="upgrades that are killed at random moments")
    options = parser.parse_args()
    unmade: list[str] = []
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="trackplane-releases-") as name, place_on(options.engine, Path(name)) as at:
        for release in options.releases:
            print(f"MLflow {release} on {options.engine}", flush=True)
            (home := Path(name) / release).mkdir()
            try:
                differing = list(adopt(open_release(release, home), at, seeds=options.seeds, kills=options.kills))
            except ReleaseFailed as error:
                unmade.append(f"{release}: {error}")
                print(f"  CANNOT BE MADE: {error}")
                continue
            print(*(f"  DIFFERS: {line}" for line in differing), sep="\n", flush=True)
            found += differing
    compared = len(options.releases) - len(unmade)
    print(f"{compared} releases compared, {len(unmade)} that cannot be made, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
