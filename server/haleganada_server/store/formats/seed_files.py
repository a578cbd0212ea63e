"""The files of the system that this one grew out of: training_log.json, training_summary.json, training_images/.

They are views, computed from the log. vocab_size equals total_chars, because there are no dummy classes. Folders of
images are named by code points, since a label may be anything.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from statistics import fmean
from typing import Any

from haleganada_server.core.ports import InkReader, SampleRow, WorkspaceLog

from . import items
from .drawings import black_on_white

_Put = Callable[[str, bytes], None]


def write(log: WorkspaceLog, ink: InkReader, path: Path) -> None:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        _write(log, ink, file.writestr)


def write_seed_folder(log: WorkspaceLog, ink: InkReader, folder: Path) -> None:
    """Write a folder."""

    def put(name: str, content: bytes) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    _write(log, ink, put)


def _write(log: WorkspaceLog, ink: InkReader, put: _Put) -> None:
    links, records, known = log.links(), [], dict[str, int]()
    for sample in log.every_sample():
        known.setdefault(sample.label, len(known))
        record = _record(sample, links, known)
        put(record["image_path"], black_on_white(sample, ink))
        records.append(record)
    put("training_log.json", _json(records))
    put("training_summary.json", _json(_summary(records, links)))


def _record(sample: SampleRow, links: dict[str, str], known: dict[str, int]) -> dict[str, Any]:
    """The ten keys of training_log.json."""
    time = datetime.fromtimestamp(sample.time_us / 1e6, tz=timezone.utc).replace(tzinfo=None)
    folder = f"training_images/{items.folder_name(sample.label)}"
    return {
        "sample_id": sample.sample_id,
        "timestamp": time.isoformat(timespec="microseconds"),
        "character": sample.label,
        "canonical_form": links.get(sample.label, sample.label),
        "character_index": known[sample.label],
        "loss": sample.loss,
        "is_variant": sample.label in links,
        "image_path": f"{folder}/{sample.sample_id}_{time:%Y%m%d_%H%M%S}.png",
        "total_chars": len(known),
        "vocab_size": len(known),
    }


def _summary(records: list[dict[str, Any]], links: dict[str, str]) -> dict[str, Any]:
    """The keys of training_summary.json; the three losses are null when nothing was taught."""
    counts = Counter(record["character"] for record in records)
    losses = [record["loss"] for record in records]
    by_label: dict[str, list[float]] = {}
    for record in records:
        by_label.setdefault(record["character"], []).append(record["loss"])
    return {
        "total_characters": len(counts),
        "total_samples": len(records),
        "character_counts": dict(counts),
        "average_losses": {label: fmean(own) for label, own in by_label.items()},
        "variant_groups": len(set(links.values())),
        "training_stats": {
            "min_loss": min(losses, default=None),
            "max_loss": max(losses, default=None),
            "avg_loss": fmean(losses) if losses else None,
        },
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()
