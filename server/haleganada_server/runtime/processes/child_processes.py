"""What all child processes of the server share."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

_NICE = 10
_SESSION_NICE = 5  # a third of the share of any other busy session; with 10, training hardly progressed
_OOM_SCORE_ADJUSTMENT = "600"  # of 1000
_WAIT_POLICY = {"OMP_WAIT_POLICY": "PASSIVE"}


def torch_environment() -> dict[str, str]:
    """Return the environment of a process that computes with torch, beside a server that needs the cores, too.

    By default, threads of OpenMP spin while they wait for each other at the end of every layer. Once anything else
    computes, one of them has no core, the others burn theirs until it has had its turn, and an epoch takes ten times as
    long or more. Threads that sleep instead compute the same, to the last bit. The user's own environment wins.
    """
    return {**_WAIT_POLICY, **os.environ}


def usable_cores() -> int:
    """Return the number of cores that this process may run on, 1 or more."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory() -> int | None:
    """Return the bytes of memory of this machine; None if the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def prefer_as_oom_victim(pid: int) -> None:
    """Make the kernel kill this process instead of the server when memory runs out. Only Linux supports that."""
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_OOM_SCORE_ADJUSTMENT)


def lower_priority(pid: int) -> None:
    """Let all other processes go before one that was started in a session of its own."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(OSError):  # Linux shares the cores among sessions; priorities count only within one
        Path(f"/proc/{pid}/autogroup").write_text(str(_SESSION_NICE))


def leave_interrupts_to_server() -> None:
    """Leave Ctrl-C in the server's terminal to the server: a child inherits the blocked signals of the thread that
    starts it, which has to be this one, and one of its own.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
