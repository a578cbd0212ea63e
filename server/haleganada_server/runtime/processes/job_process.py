"""Runs jobs as child processes: low priority, commands on standard input, reports on standard output.

A separate process keeps torch out of the server, leaves the server its share of the CPU, and can be killed or run out
of memory without harm to anything else. When its standard input ends, it knows that the server has ended, however that
happened.
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
from haleganada_server.core.installation import describe_install
from haleganada_server.core.jobs.job import JobKind
from haleganada_server.core.models.presets import preset_facts

from ..backbone_sources import BackboneSources
from ..modules import require_modules
from .child_processes import lower_priority, prefer_as_oom_victim, torch_environment, usable_cores

COMMAND = (sys.executable, "-m", "haleganada_server.training.job")
NEEDED: Mapping[JobKind, Sequence[str]] = {
    JobKind.TRAINING: ("torch", "torchvision", "onnx", "scipy", "matplotlib"),
    JobKind.EVALUATION: ("sklearn", "matplotlib"),
}
"""Modules that each kind of job requires."""
TENSORBOARD = "tensorboard"
"""The module that writes event files."""

_PURPOSES = {JobKind.TRAINING: "train models", JobKind.EVALUATION: "evaluate models"}
_MAX_LINE = 8 * 2**20  # bytes; an evaluation with many labels reports its result in one line
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_log = logging.getLogger(__name__)


class JobProcessRunner:
    """core.jobs.ports.JobRunner.

    command: the path of the request file is appended. needed, tensorboard: see NEEDED and TENSORBOARD. device: "auto",
    "cpu" or "cuda:N", for the computations of jobs. backbone_weights: files of ImageNet weights.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        needed: Mapping[JobKind, Sequence[str]] = NEEDED,
        tensorboard: str = TENSORBOARD,
        device: str = "auto",
        backbone_weights: Sequence[Path] = (),
    ) -> None:
        self._command, self._device = tuple(command), device
        self._needed, self._tensorboard = needed, tensorboard
        self._backbones = BackboneSources(backbone_weights)

    def require(self, kind: JobKind, preset: str = "", tensorboard: bool = False) -> None:
        require_modules(self._needed.get(kind, ()), _PURPOSES[kind])
        if preset:
            self._backbones.require(preset_facts(preset))
        if tensorboard and find_spec(self._tensorboard) is None:
            raise Precondition(
                "this server cannot write files for TensorBoard, which is not installed; run "
                f"{describe_install('tensorboard')} where the server runs, or train without it: training_history.json "
                "and .png show the same metrics",
                Reason.TENSORBOARD_NOT_INSTALLED,
            )

    def must_fetch_weights(self, preset: str) -> bool:
        return not self._backbones.are_here(preset_facts(preset))

    def start(self, request: Path, log: Path) -> JobSubprocess:
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [*self._command, str(request.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_make_environment(self._device),
                start_new_session=True,  # the server handles Ctrl-C in its terminal
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
            )
        lower_priority(process.pid)
        prefer_as_oom_victim(process.pid)
        return JobSubprocess(process)


class JobSubprocess:
    """core.jobs.ports.JobProcess."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._controlling = threading.Lock()
        self._reaper = threading.Thread(target=self._reap, name="job-end", daemon=True)
        self._reaper.start()

    def events(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in _read_lines(output):
                event = _parse_event(line)
                if event is not None:
                    yield event

    def wait(self) -> int:
        self._reaper.join()
        return self._process.wait()

    def cancel(self) -> None:
        assert self._process.stdin is not None
        with self._controlling, suppress(OSError, ValueError):  # it has ended or was suspended
            self._process.stdin.write(b"cancel\n")
            self._process.stdin.flush()

    def suspend(self) -> None:
        assert self._process.stdin is not None
        with self._controlling, suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        with self._controlling:
            self._kill_group()

    def _reap(self) -> None:
        """When the process has ended, kill the processes that it started: they would keep its output open forever."""
        if hasattr(os, "waitid"):  # leaves the status uncollected, so that the process id is not reused yet
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            with self._controlling:
                self._kill_group()
                self._process.wait()
        else:
            self._process.wait()
        self.suspend()

    def _kill_group(self) -> None:
        if self._process.returncode is not None:
            return  # its process id may have been reused
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()


def _make_environment(device: str) -> dict[str, str]:
    """Return the server's environment, with one thread for each core unless the environment already says otherwise, and
    with the GPUs of a device.
    """
    threads = dict.fromkeys(_THREADS, str(usable_cores()))
    return {**threads, "PYTHONUNBUFFERED": "1", **torch_environment(), **_select_gpus(device)}


def _select_gpus(device: str) -> dict[str, str]:
    """Return the variable that selects GPUs: all that the server sees, none, or some of them."""
    if device == "auto":
        return {}
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": ""}
    numbers = [one.removeprefix("cuda:") for one in device.split(",")]
    if seen := os.environ.get("CUDA_VISIBLE_DEVICES"):
        numbers = [seen.split(",")[int(number)] for number in numbers]  # which refer to the visible ones
    return {"CUDA_VISIBLE_DEVICES": ",".join(numbers)}


def _read_lines(output: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; skip those that are too long."""
    while line := output.readline(_MAX_LINE):
        if line.endswith(b"\n") or len(line) < _MAX_LINE:
            yield line
            continue
        _log.warning("a job's process wrote a line of more than %d bytes, which is skipped", _MAX_LINE)
        while (rest := output.readline(_MAX_LINE)) and not rest.endswith(b"\n"):
            pass


def _parse_event(line: bytes) -> dict[str, Any] | None:
    """Parse a report; None for any other line, since libraries may print too."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, dict):
        return event
    _log.debug("a job's process wrote a line that is not a report: %.200r", line)
    return None
