"""Limits, ranges and defaults of the contract, each defined once.

The clients' copies, clients/haleganada_client/limits.py and web/static/server/limits.js, are made from this file by
`make limits`. A test compares it with the comments in proto/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Range(Generic[Number]):
    """The numbers from minimum to maximum; with open=True without the minimum itself."""

    minimum: Number
    maximum: Number
    open: bool = False

    @property
    def bounds(self) -> tuple[Number, Number]:
        return self.minimum, self.maximum

    def includes(self, value: float) -> bool:
        """Return whether a number is in the range; NaN never is."""
        return self.minimum <= value <= self.maximum and not (self.open and value == self.minimum)

    def __str__(self) -> str:
        low, high = (f"{bound:,}" if isinstance(bound, int) else f"{bound:g}" for bound in self.bounds)
        return f"above {low} to {high}" if self.open else f"{low} to {high}"


# Calls
MAX_MESSAGE_BYTES = 16 * 2**20
MAX_BATCH_ITEMS = 256
MAX_ID_LENGTH = 64  # characters
MAX_LABEL_LENGTH = 64  # code points, also of names
MAX_LISTED_ITEMS = 1_000  # refused items, leaks and duplicates that are listed one by one

# Drawings
MAX_IMAGE_BYTES = 8 * 2**20
MAX_IMAGE_PIXELS = 16_000_000
MAX_PHOTO_PIXELS = 50_000_000  # of a JPEG that is not progressive, which is decoded at a reduced scale
MAX_IMAGE_SIDE = 65_535  # px, as JPEG has it; rows of a few pixels, millions of them, take a decoder seconds
MAX_STROKES = 1_000
MAX_POINTS = 100_000  # of all strokes together

# Answers and lists
TOP_K, DEFAULT_TOP_K = Range(1, 50), 5
SCRIPT_LABELS = Range(0, 1_000_000)
PAGE_SIZE, DEFAULT_PAGE_SIZE = Range(1, 500), 50
HISTORY_POINTS, DEFAULT_HISTORY_POINTS = Range(0, 10_000), 500
WAIT_LEARNED_MS = Range(0, 60_000)

# Files
MAX_IMPORT_BYTES = 2**30
MAX_UPLOAD_BYTES = 4 * 2**30
MAX_RECEIVED_CHUNK_BYTES = 2**20
SENT_CHUNK_BYTES = 64 * 2**10

# Snapshots
KEPT_SNAPSHOTS = Range(0, 1_000_000)
SNAPSHOT_AGE_S = Range(0, 1_000_000_000)

# Data sets
SPLIT_SHARE: Range[float] = Range(0, 0.5)
DEFAULT_SPLIT_SHARE = 0.15
PREVIEW_DRAWINGS, DEFAULT_PREVIEW_DRAWINGS = Range(1, 64), 8
PREVIEW_VIEWS, DEFAULT_PREVIEW_VIEWS = Range(1, 16), 7

# Reading
MAX_DOCUMENT_BYTES = 15 * 2**20
MAX_STREAMED_DOCUMENT_BYTES = 512 * 2**20
MAX_STREAMED_DOCUMENTS = 100_000  # of one stream
UNFINISHED_DOCUMENTS = 8  # of one stream that have begun, before the server takes no more
MAX_PAGE_PIXELS = 120_000_000  # A3 at 800 dpi
MAX_PAGES = 5_000  # of one document
MAX_FILE_NAME_LENGTH = 255  # characters
MAX_LANGUAGES = 8
MAX_LEXICON_WORDS = 50_000
MAX_LEXICON_WORD_LENGTH = 64
MAX_ALTERNATIVES = 10
MAX_PAGES_TEXT = 1_000  # characters of a list of pages, such as "1,3-7,20-"
PAGE_IMAGE_SIDE, DEFAULT_PAGE_IMAGE_SIDE = Range(16, 4_096), 2_048
EXCERPT_LENGTH = 200  # code points
MAX_TAUGHT_GROUPS = 20_000  # pieces of ink of a page, alone and with their neighbors, that may be glyphs
TAUGHT_CANDIDATES = 5  # of a glyph
CORRECTED_GLYPHS = Range(1, 256)  # of one correction
JOINED_GLYPHS = Range(2, 16)

# Training and evaluation
SEED = Range(0, 2**63 - 1)
EPOCHS = Range(1, 10_000)
BATCH_SIZE = Range(1, 4_096)
LEARNING_RATE: Range[float] = Range(0, 1, open=True)
WEIGHT_DECAY: Range[float] = Range(0, 1)
PATIENCE, DEFAULT_PATIENCE = Range(0, 10_000), 15
ACCUMULATION, DEFAULT_ACCUMULATION = Range(1, 256), 1
FROZEN_EPOCHS = Range(0, 10_000)
CHECKPOINT_EVERY, DEFAULT_CHECKPOINT_EVERY = Range(1, 1_000), 1
OPTIMIZERS = ("adamw", "adam")
SCHEDULES = ("cosine", "plateau")
CLASS_WEIGHTS = ("none", "balanced")
IMAGE_SIZE_PX = Range(16, 256)
WORKERS = Range(1, 256)
ROTATION_DEGREES: Range[float] = Range(0, 180)
SHIFT: Range[float] = Range(0, 0.5)
SCALE: Range[float] = Range(0, 0.5)
TILT: Range[float] = Range(0, 0.3)
BEND: Range[float] = Range(0, 0.3)
INK: Range[float] = Range(0, 0.9)
DEFAULT_ROTATION_DEGREES, DEFAULT_SHIFT, DEFAULT_SCALE = 15.0, 0.1, 0.1
DEFAULT_TILT, DEFAULT_BEND, DEFAULT_INK = 0.1, 0.11, 0.3
EVALUATED_MODELS = Range(1, 8)
ENSEMBLE_MODELS = Range(2, 8)
QUICK_EVALUATION_DRAWINGS = 1_000

# Online learning
REPLAY, DEFAULT_REPLAY = Range(0, 1_024), 32
ONLINE_STEPS, DEFAULT_ONLINE_STEPS = Range(1, 100), 5
DEFAULT_ONLINE_LEARNING_RATE = 0.001
DEFAULT_ONLINE_WEIGHT_DECAY = 0.01
