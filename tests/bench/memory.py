"""What memory processes have, as Linux tells, once or again and again beside something else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def read_memory(pid: int, kind: str = "VmRSS") -> int:
    """Return the bytes of memory of a process; 0 if it has ended. kind: VmRSS = resident now, VmHWM = the most ever."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    _, _, found = status.partition(f"{kind}:")
    return int(found.split()[0]) * 1024 if found else 0


@contextmanager
def sample(look: Callable[[], T], every_s: float) -> Iterator[list[T]]:
    """Yield a list that gets what a look finds, again and again during the block."""
    samples, ended = list[T](), threading.Event()

    def keep_looking() -> None:
        while not ended.wait(every_s):
            samples.append(look())

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
