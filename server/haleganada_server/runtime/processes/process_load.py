"""What a child process and those that it has started are doing, as Linux tells it in /proc (man 5 proc).

On a busy machine a process that goes last gets little of the processor, so that the clock on the wall says nothing
about how much it has had to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_WORKING = frozenset("RD")  # runs or would like to, waits for the disk
_STATE, _SESSION, _TIMES = 0, 3, slice(11, 15)  # fields behind the name: state, session, utime to cstime


@dataclass(frozen=True, slots=True)
class ProcessLoad:
    """cpu_s: seconds of processor time so far, of ended children too. is_working: whether one of the processes runs, or
    would if the processor were free.
    """

    cpu_s: float
    is_working: bool


def measure_session(leader: int) -> ProcessLoad | None:
    """Return the load of a session of processes; None where the system does not tell. leader: its process id."""
    if not _PROC.joinpath("self", "stat").exists():
        return None
    found = [fields for fields in _read_stats() if fields[_SESSION] == str(leader)]
    ticks = sum(int(time) for fields in found for time in fields[_TIMES])
    return ProcessLoad(ticks / os.sysconf("SC_CLK_TCK"), any(fields[_STATE] in _WORKING for fields in found))


def measure_cpu(pid: int) -> float:
    """Return the seconds of processor time of a process and its ended children; 0 where the system does not tell."""
    with suppress(OSError):
        fields = _split(_PROC.joinpath(str(pid), "stat").read_text(errors="replace"))
        return sum(map(int, fields[_TIMES])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def measure_own_memory() -> int | None:
    """Return the bytes of memory that this process has; None where the system does not tell."""
    with suppress(OSError):
        return int(_PROC.joinpath("self", "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def _read_stats() -> Iterator[list[str]]:
    """Yield the fields behind the name of all processes; the name may contain anything."""
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            yield _split(path.read_text(errors="replace"))


def _split(stat: str) -> list[str]:
    return stat.rpartition(")")[2].split()
