"""python -m haleganada_server.reading.worker [--memory BYTES]: open documents and read their pages for a server; see
runtime/processes/reader_pool.py.

It holds no state but loaded models, so it may be killed at any time. It ends when its server does, in the middle of a
page if need be, and takes the programs that it has started with it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, Precondition
from haleganada_server.core.installation import describe_install
from haleganada_server.reading.tasks import TASKS, Answer, Task
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.runtime.processes.reader_messages import pack_error

_NO_MEMORY = ("bad_alloc", "bad allocation", "nsufficient memory", "ailed to allocate memory", "annot allocate memory")
"""What libraries say in C++."""


def main(arguments: Sequence[str], tasks: Mapping[str, Task] = TASKS) -> int:
    """Answer requests until standard input ends, "greet" at once."""
    tasks = {**tasks, "greet": lambda _: ({}, b"")}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is for the server
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=int, metavar="BYTES", help="that this process may use")
    memory = parser.parse_args(arguments).memory
    _bound_memory(memory)
    requests = _receive_requests(sys.stdin.buffer)
    responses = _take_output()
    with suppress(BrokenPipeError):  # the server is gone
        while True:
            response, payload = _answer(tasks, requests.get())
            if memory is not None and _resident_bytes() > memory // 2:  # or the next page might find too little
                response["is_leaving"] = True
            write_frame(responses, response, payload)
    return 0


def _take_output() -> IO[bytes]:
    """Return the stream of responses. What libraries and programs print goes to standard error instead, so that it does
    not get between them.
    """
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return responses


def _receive_requests(stream: IO[bytes]) -> SimpleQueue[dict[str, Any]]:
    """Return a queue that a thread fills with requests, which ends this process when the stream ends."""
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def receive() -> None:
        with suppress(OSError, ValueError):
            while (frame := read_frame(stream)) is not None:
                requests.put(frame[0])
        _end_group()

    threading.Thread(target=receive, name="requests", daemon=True).start()
    return requests


def _end_group() -> None:
    """End this process now, and what it has started if they are a group of their own."""
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def _bound_memory(size: int | None) -> None:
    """Let this process and its children each use so many bytes at most, where the system can see to that."""
    if size is None or sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):  # a lower bound is set already
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def _resident_bytes() -> int:
    """Return the bytes of memory that this process has now; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _answer(tasks: Mapping[str, Task], request: dict[str, Any]) -> Answer:
    """Return the response to a request, and its payload."""
    try:
        done, payload = tasks[request["do"]](request)
        return {"done": done}, payload
    except Exception as error:
        if _is_out_of_memory(error):
            return {"failed": pack_error(_too_large()), "is_leaving": True}, b""
        if isinstance(error, HaleganadaError):
            return {"failed": pack_error(error)}, b""
        if isinstance(error, ModuleNotFoundError):
            return {"failed": pack_error(_not_installed(error.name or str(error)))}, b""
        unforeseen = HaleganadaError("".join(traceback.format_exception(error)))
        return {"failed": pack_error(unforeseen)}, b""


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "reason", None) is Reason.MEMORY_EXHAUSTED:
        return True
    return not isinstance(error, HaleganadaError) and any(words in str(error) for words in _NO_MEMORY)


def _not_installed(module: str) -> Precondition:
    return Precondition(
        f"this server cannot read documents without {module}; run {describe_install('read')} where it runs",
        Reason.ENGINE_NOT_INSTALLED,
    )


def _too_large() -> Exhausted:
    return Exhausted(
        "reading this page takes more memory than the server allows for one; send it with fewer pixels",
        Reason.DOCUMENT_TOO_LARGE,
        retry_after_s=30.0,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
