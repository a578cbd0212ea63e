"""Draws previews of training in a child process, because they need torch, which the server never imports.

The process reads a request from a JSON file and writes a PNG to the path in it; its last line on standard output is
{"done": {"labels": [...], "side": px}} or {"failed": {"reason": ..., "message": ...}}.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from haleganada_server.core.datasets.dataset import DatasetInfo
from haleganada_server.core.datasets.preview import PreviewRequest, PreviewSheet
from haleganada_server.core.disk.files import scratch_folder
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, Precondition
from haleganada_server.core.jobs.settings import require_fitting_kind

from ..modules import require_modules
from .child_processes import torch_environment

COMMAND = (sys.executable, "-m", "haleganada_server.training.preview")
_TIMEOUT_S = 120.0
_log = logging.getLogger(__name__)


class PreviewProcess:
    """core.datasets.preview.DatasetPreviewer. Safe from any thread."""

    def __init__(
        self, temporary_path: Callable[[], Path], command: Sequence[str] = COMMAND, needed: Sequence[str] = ("torch",)
    ) -> None:
        """temporary_path: returns a new path for the process's files. needed: modules that the process requires."""
        self._temporary_path = temporary_path
        self._command, self._needed = tuple(command), tuple(needed)

    def draw_sheet(self, info: DatasetInfo, folder: Path, request: PreviewRequest) -> PreviewSheet:
        """Draw a preview. Raises InvalidInput for an unknown preset, Precondition if training is not installed, or the
        preset is not for what the data set has; Exhausted if it takes too long.
        """
        require_fitting_kind(request.preset, info)
        require_modules(self._needed, "draw a preview")
        with scratch_folder(self._temporary_path()) as scratch:
            sheet = (scratch / "sheet.png").absolute()
            entry = {**asdict(request), "dataset": info.describe_for_process(folder), "sheet": str(sheet)}
            path = scratch / "request.json"
            path.write_text(json.dumps(entry), encoding="utf-8")
            done = self._run(path)
            return PreviewSheet(sheet.read_bytes(), tuple(done["labels"]), int(done["side"]))

    def _run(self, request: Path) -> dict[str, Any]:
        try:
            completed = subprocess.run(
                [*self._command, str(request.absolute())],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=torch_environment(),
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Exhausted(
                "the preview took too long; ask for fewer drawings", Reason.PREVIEW_TIMEOUT, 10.0
            ) from error
        return _parse_outcome(completed)


def _parse_outcome(completed: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """Return what the last line reports. Raises Precondition if that is a failure, HaleganadaError if it is no
    report.
    """
    lines = completed.stdout.splitlines()
    try:
        outcome = json.loads(lines[-1]) if lines else {}
    except ValueError:
        outcome = {}
    if "done" in outcome:
        return dict(outcome["done"])
    if "failed" in outcome:
        raise Precondition(outcome["failed"]["message"], Reason.of(outcome["failed"]["reason"]))
    _log.error("the preview ended with %d: %s", completed.returncode, completed.stderr.decode(errors="replace")[-4000:])
    raise HaleganadaError("the preview could not be drawn; see the server's log")
