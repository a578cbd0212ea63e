"""What a learner's process leaves for the next start of the server: its published network, which answers until a new
process has imported torch and learned again.

It counts only if it has learned exactly the first live samples of the log, so that nothing answers that was forgotten
since. The process writes two files: a network for onnxruntime, and this description of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from haleganada_server.core.disk.checksum import seal, unseal

ANSWERS = "answers.json"
NETWORK = "answers-{}.onnx"
"""By the first characters of its SHA-256, so that the description changes which one counts."""


class Sample(Protocol):
    """What identifies a live sample for good."""

    @property
    def sample_id(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def revision(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersCard:
    """labels: by column of the network's probabilities. side: of its input, in px. revision: of the workspace that it
    knows. learned: number of samples, samples_sha256: see hash_samples. network, sha256: its file and its hash.
    """

    labels: tuple[str, ...]
    side: int
    revision: int
    learned: int
    samples_sha256: str
    network: str
    sha256: str

    def to_json(self) -> str:
        """Return the card as one JSON object with a checksum."""
        return json.dumps(seal(asdict(self)), ensure_ascii=False)

    @staticmethod
    def from_json(text: bytes) -> AnswersCard:
        """Parse what to_json returns. Raises ValueError or TypeError for anything else."""
        entry: dict[str, Any] = unseal(json.loads(text))
        return AnswersCard(**{**entry, "labels": tuple(entry.get("labels", ()))})


def hash_samples(samples: Iterable[Sample]) -> str:
    """Return the SHA-256 of what identifies samples, in their order."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(f"{sample.sample_id} {sample.revision} {sample.label}\n".encode())
    return digest.hexdigest()
