"""What Linux says about processes and their connections."""

from pathlib import Path
from typing import Final

_ESTABLISHED: Final = "01"
_NOBODY: Final = "0"
"""The inode of a connection that no process has open (any more, or yet)."""


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory_of(pid: int) -> int:
    """The bytes in memory that are its own share (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024


def peak_memory_of(pid: int) -> int:
    """The most bytes that it has had in memory so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def written_by(pid: int) -> int:
    """The bytes that it has sent on their way to a disk: not those to sockets and pipes."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


def threads_of(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Threads:")).split()[1])


def connections_to(port: int) -> int:
    """Those that a server at this port of 127.0.0.1 holds open."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1] == f"0100007F:{port:04X}" and line[3] == _ESTABLISHED and line[9] != _NOBODY for line in lines)
