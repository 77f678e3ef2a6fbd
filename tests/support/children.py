"""Work done in a forked child, so that a test can kill it at any moment without the seconds that a new Python takes."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn


def start_child(work: Callable[[], object]) -> int:
    """The process id. The child ends with `work`: 0 when it returned, 1 when it raised."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _work_and_end(work)
    return child


def _work_and_end(work: Callable[[], object]) -> NoReturn:
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - a child must not go on as a second pytest
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def wait_for(child: int) -> int:
    """The exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_in_child(work: Callable[[], object]) -> int:
    return wait_for(start_child(work))


def die() -> None:
    """As `kill -9` would have it: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


def eventually(is_true: Callable[[], bool]) -> None:
    """For what another process does in its own time. Fails after 30 seconds."""
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline, "waited for 30 seconds"
        time.sleep(0.02)
