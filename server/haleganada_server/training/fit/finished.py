"""What all finished trainings have in common, on drawings or on lines: the files of their states, the folder of their
model, and most of its card.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from haleganada_server.core.models.card import LineInput, ModelCard, Preprocessing
from haleganada_server.training.common.atomic_files import write_safetensors
from haleganada_server.training.export.half_precision import compact, round_matrices
from haleganada_server.training.presets import Preset, count_parameters

from .reports.history import HISTORY_JSON, HistoryFiles, format_history
from .settings import TrainingSettings
from .state import TrainingState, copy_tensors

FILES, MODEL = "files", "model"
LAST_STATE, BEST_STATE = "final_model.safetensors", "best_model.safetensors"
DESCRIPTION = "haleganada"


@dataclass(frozen=True, kw_only=True)
class FinishedTraining:
    """A training whose epochs are over. name: of the model. options: those that the preset's network was built with.
    dataset_name, dataset_sha256: of what it was trained on.
    """

    preset: Preset
    name: str
    dataset_name: str
    dataset_sha256: str
    settings: TrainingSettings
    options: Mapping[str, Any]
    state: TrainingState

    def write_states(self, files: Path, outputs: Mapping[str, Any]) -> None:
        """Write the history, the last and the best state; leave the network in its best one, with matrices rounded to
        half precision. outputs: what the network's outputs mean, as JSON.
        """
        HistoryFiles(files).write(self.state.history, self.state.best_epoch, last=True)
        description = self._describe_tensors(outputs)
        write_safetensors(files / LAST_STATE, copy_tensors(self.state.network), description)
        self.state.network.load_state_dict(self.state.best)
        round_matrices(self.state.network)
        write_safetensors(files / BEST_STATE, compact(copy_tensors(self.state.network)), description)

    def _describe_tensors(self, outputs: Mapping[str, Any]) -> dict[str, str]:
        """Return the metadata of a file of tensors: how its network is built, and what its outputs mean.

        It is one entry, because safetensors writes several in any order, and equal trainings should give equal files.
        """
        description = {"preset": self.preset.name, "options": dict(self.options), **outputs}
        return {DESCRIPTION: json.dumps(description, ensure_ascii=False)}

    @contextmanager
    def write_model(self, folder: Path) -> Iterator[Path]:
        """Yield a folder with the history, for the other files of the model. It becomes the job's model at the end of
        the block, whole or not at all. folder: of the job.
        """
        draft = folder / f"{MODEL}.tmp"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        history = format_history(self.state.history, self.state.best_epoch)
        (draft / HISTORY_JSON).write_text(history, encoding="utf-8")
        yield draft
        shutil.rmtree(folder / MODEL, ignore_errors=True)  # left by an earlier run that was killed after this point
        draft.rename(folder / MODEL)

    def build_card(
        self,
        labels: tuple[str, ...],
        preprocessing: Preprocessing,
        metrics: dict[str, float],
        *,
        temperature: float = 1.0,
        line: LineInput | None = None,
        **facts: str,
    ) -> ModelCard:
        """Return the card of the model. facts: what else somebody needs to repeat the training."""
        epochs = {"epochs_trained": self.state.epoch, "best_epoch": self.state.best_epoch}
        return ModelCard(
            preset=self.preset.name,
            name=self.name,
            labels=labels,
            preprocessing=preprocessing,
            temperature=temperature,
            parameters=count_parameters(self.state.network),
            created_us=time.time_ns() // 1000,
            dataset_name=self.dataset_name,
            dataset_sha256=self.dataset_sha256,
            sha256={},
            options=dict(self.options),
            metrics=metrics,
            training={**asdict(self.settings), **epochs, **facts, "torch": str(torch.__version__)},
            line=line,
        )
