"""Models that come in distributions of their own, which only those install who need them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from .files import CARD

KANNADA_PRINT, LATIN_HAND = "kannada-print", "latin-hand"

_PACKAGES = {KANNADA_PRINT: "haleganada_kannada", LATIN_HAND: "haleganada_latin_hand"}
"""Which package has the folder of a model."""


def find_distributed_model(name: str) -> Path | None:
    """Return the folder of a model, None if its distribution is not installed."""
    try:
        spec = find_spec(_PACKAGES[name])
    except ValueError:  # a test has forbidden its import
        return None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).with_name(name)
    return folder if (folder / CARD).is_file() else None


def list_distributed_models() -> tuple[Path, ...]:
    """Return the folders of all of them that are installed."""
    return tuple(folder for name in _PACKAGES if (folder := find_distributed_model(name)) is not None)
