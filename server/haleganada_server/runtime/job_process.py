"""Jobs as processes: started at low priority, told of things on standard input, heard on standard output.

A process of its own keeps torch out of the server, leaves the server its share of the processor, and can be killed,
or run out of memory, without harm to anybody else. The end of its standard input tells it that the server is gone,
however that ended.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.jobs.job import JobKind

from .child_processes import prefer_as_oom_victim, usable_cores
from .modules import require_modules

COMMAND = (sys.executable, "-m", "haleganada_server.training.job")
NEEDED: Mapping[JobKind, Sequence[str]] = {
    JobKind.TRAINING: ("torch", "torchvision", "onnx", "scipy", "matplotlib"),
    JobKind.EVALUATION: ("sklearn", "matplotlib"),
}
"""Modules that a kind of job cannot do without."""
TENSORBOARD = "tensorboard"
"""The module without which no event files are written."""

_PURPOSES = {JobKind.TRAINING: "train models", JobKind.EVALUATION: "evaluate models"}
_NICE = 10
_SESSION_NICE = 5  # a third of what each other session gets that wants all it can: with 10, training hardly moved
_LONGEST_LINE = 8 * 2**20  # bytes; an evaluation of many labels reports its whole result in one line
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_log = logging.getLogger(__name__)


class JobProcessRunner:
    """core.jobs.ports.JobRunner. command: to which the request's path is added. needed, tensorboard: see NEEDED and
    TENSORBOARD. device: "auto", "cpu" or "cuda:N", what jobs may compute on.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        needed: Mapping[JobKind, Sequence[str]] = NEEDED,
        tensorboard: str = TENSORBOARD,
        device: str = "auto",
    ) -> None:
        self._command, self._device = tuple(command), device
        self._needed, self._tensorboard = needed, tensorboard

    def require(self, kind: JobKind, tensorboard: bool = False) -> None:
        require_modules(self._needed.get(kind, ()), _PURPOSES[kind])
        if tensorboard and find_spec(self._tensorboard) is None:
            raise Precondition(
                "this server cannot write files for TensorBoard, which it lacks; where it runs: pip install "
                "'haleganada[tensorboard]'; or train without: training_history.json and .png have the same figures",
                Reason.TENSORBOARD_NOT_INSTALLED,
            )

    def start(self, request: Path, log: Path) -> JobSubprocess:
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [*self._command, str(request.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(self._device),
                start_new_session=True,  # Ctrl-C in the server's terminal is the server's to handle
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
            )
        _step_back(process.pid)
        return JobSubprocess(process)


class JobSubprocess:
    """core.jobs.ports.JobProcess."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._talk = threading.Lock()
        self._reaper = threading.Thread(target=self._reap, name="job-end", daemon=True)
        self._reaper.start()

    def events(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in _lines(output):
                event = _event(line)
                if event is not None:
                    yield event

    def wait(self) -> int:
        self._reaper.join()
        return self._process.wait()

    def cancel(self) -> None:
        assert self._process.stdin is not None
        with self._talk, suppress(OSError, ValueError):  # it has ended, or was left
            self._process.stdin.write(b"cancel\n")
            self._process.stdin.flush()

    def leave(self) -> None:
        assert self._process.stdin is not None
        with self._talk, suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        with self._talk:
            self._end_all()

    def _reap(self) -> None:
        """When the process has ended, end those that it started: they would hold its output open for ever."""
        if hasattr(os, "waitid"):  # without collecting its status, so that its number stays its own until then
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            with self._talk:
                self._end_all()
                self._process.wait()
        else:
            self._process.wait()
        self.leave()

    def _end_all(self) -> None:
        if self._process.returncode is not None:
            return  # by now its number may be another's
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()


def _environment(device: str) -> dict[str, str]:
    """As the server's, with as many threads as there are cores unless somebody has said otherwise, and with the GPUs of
    a device.
    """
    threads = dict.fromkeys(_THREADS, str(usable_cores()))
    return {**threads, "PYTHONUNBUFFERED": "1", **os.environ, **_visible_gpus(device)}


def _visible_gpus(device: str) -> dict[str, str]:
    """All that the server sees, none, or one of them."""
    if device == "auto":
        return {}
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": ""}
    number = device.removeprefix("cuda:")
    if seen := os.environ.get("CUDA_VISIBLE_DEVICES"):
        number = seen.split(",")[int(number)]  # the server counts those that it sees
    return {"CUDA_VISIBLE_DEVICES": number}


def _step_back(pid: int) -> None:
    """Let everything else go first. It matters from the moment when the process has many threads, which is later."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(OSError):  # Linux gives each session its share of the cores, and heeds priorities only within one
        Path(f"/proc/{pid}/autogroup").write_text(str(_SESSION_NICE))
    prefer_as_oom_victim(pid)


def _lines(output: IO[bytes]) -> Iterator[bytes]:
    """Line by line; one that is too long is passed over."""
    while line := output.readline(_LONGEST_LINE):
        if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
            yield line
            continue
        _log.warning("a job's process wrote a line of more than %d bytes, which is passed over", _LONGEST_LINE)
        while (rest := output.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass


def _event(line: bytes) -> dict[str, Any] | None:
    """A report; None for a line that is none, as libraries may print."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    _log.debug("a job's process wrote a line that is no report: %.200r", line)
    return None
