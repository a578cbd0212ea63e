"""The REST routes of the system that this one grew out of: the same paths and JSON keys, confidence in percent.

Where its words and ours differ: vocab_size is the number of labels (there are no dummy classes), saved is always true
(every sample is on disk before the answer), predicted_char is the canonical label and `form` what was drawn. Before
anything is taught, /predict answers as always, with predicted_char null. Further keys and routes may be added;
openapi.json describes them all.
"""

from __future__ import annotations

from . import characters, samples, workspace
from .blueprint import blueprint

__all__ = ["blueprint", "characters", "samples", "workspace"]
