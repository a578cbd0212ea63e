"""What is written and reported after each epoch of a training."""

from __future__ import annotations

import contextlib
from pathlib import Path

from haleganada_server.core.installation import describe_install
from haleganada_server.core.jobs.job import Epoch

from ..checkpoint import save_checkpoint
from ..finished import FILES
from ..settings import TrainingSettings
from ..state import TrainingState
from .history import HistoryFiles, TensorBoard, is_tensorboard_installed
from .reporter import TrainingReporter


class EpochRecorder(contextlib.ExitStack):
    """Reports each epoch, and writes its checkpoint and history; in the first process only."""

    def __init__(
        self,
        folder: Path,
        settings: TrainingSettings,
        state: TrainingState,
        fingerprint: str,
        reporter: TrainingReporter,
        is_first: bool = True,
    ) -> None:
        """folder: of the job. fingerprint: of its checkpoints."""
        super().__init__()
        self._folder, self._settings, self._state = folder, settings, state
        self._reporter, self._is_first, self._fingerprint = reporter, is_first, fingerprint
        self._history = HistoryFiles(folder / FILES)
        self._tensorboard: TensorBoard | None = None
        if settings.tensorboard and is_first:
            self._open_tensorboard()

    def record(self, epoch: Epoch) -> None:
        """Record an epoch that was added to the state."""
        if not self._is_first:
            return
        is_last = self._state.is_over(self._settings)
        if is_last or epoch.epoch % self._settings.checkpoint_every == 0:
            save_checkpoint(self._state, self._folder, self._fingerprint)
        self._history.write(self._state.history, self._state.best_epoch, is_last)
        if self._tensorboard:
            self._tensorboard.write(epoch)
        self._reporter.send_epoch(epoch)

    def _open_tensorboard(self) -> None:
        if is_tensorboard_installed():
            self._tensorboard = self.enter_context(TensorBoard(self._folder / FILES, self._state.epoch + 1))
        else:
            self._reporter.add_note(
                f"no TensorBoard files: it is not installed on the server; {describe_install('tensorboard')}"
            )
