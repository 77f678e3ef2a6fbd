"""What a tree of processes uses, as Linux tells it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """`root` and all that it has started, and they in turn."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields:
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def pss_bytes(root: int) -> int:
    """The memory of the tree; what processes share is counted once."""
    return sum(_pss(process) for process in tree(root))


def cpu_seconds(root: int) -> float:
    """What the living processes of the tree have used, in user and kernel mode, with their ended children."""
    return sum(_cpu_ticks(process) for process in tree(root)) / _TICKS


def _pss(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _cpu_ticks(process: int) -> int:
    return sum(int(ticks) for ticks in _fields(Path(f"/proc/{process}/stat"))[11:15])


def _fields(stat: Path) -> list[str]:
    """Those behind the name, which may hold blanks: state, parent, ..."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []
