"""The files of the system that this one grew out of: training_log.json, training_summary.json, training_images/.

They are views, computed from the log. vocab_size equals total_chars, because there are no dummy classes. Folders of
images are named by code points, since a label may be anything. Times are UTC.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from statistics import fmean
from typing import Any

from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.sample_log.rows import SampleFacts, SampleRow
from haleganada_server.store.sample_log.reader import LogReader

from . import items, zip_files
from .drawings import black_on_white

LOG, SUMMARY = "training_log.json", "training_summary.json"
LISTS = (LOG, SUMMARY)
_Put = Callable[[str, bytes], None]


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write a zip."""
    with zipfile.ZipFile(path, "w") as file:
        _write(
            log, rasterizer, lambda name, content: file.writestr(zip_files.described(name), content, compresslevel=1)
        )


def write_seed_folder(log: LogReader, rasterizer: Rasterizer, folder: Path) -> None:
    """Write a folder. Not synced file by file: it can always be made again."""

    def put(name: str, content: bytes) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    _write(log, rasterizer, put)


def _write(log: LogReader, rasterizer: Rasterizer, put: _Put) -> None:
    """log: nobody may write to it meanwhile, for it is read twice."""
    links, facts = log.links(), log.facts()
    for sample in log.every_sample():
        put(_image_path(sample), black_on_white(sample, rasterizer))
    put(LOG, _json(list(_records(facts, links, log.class_ids()))))
    put(SUMMARY, _json(_summary(facts, links)))


def _records(facts: list[SampleFacts], links: dict[str, str], class_ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Each sample with the ten keys of training_log.json."""
    known: set[str] = set()
    for sample in facts:
        known.add(sample.label)
        yield {
            "sample_id": sample.sample_id,
            "timestamp": _time(sample).isoformat(timespec="microseconds"),
            "character": sample.label,
            "canonical_form": links.get(sample.label, sample.label),
            "character_index": class_ids[sample.label],
            "loss": sample.loss,
            "is_variant": sample.label in links,
            "image_path": _image_path(sample),
            "total_chars": len(known),
            "vocab_size": len(known),
        }


def _summary(facts: list[SampleFacts], links: dict[str, str]) -> dict[str, Any]:
    """The keys of training_summary.json; the three losses are null when nothing was taught."""
    by_label: dict[str, list[float]] = {}
    for sample in facts:
        by_label.setdefault(sample.label, []).append(sample.loss)
    losses = [sample.loss for sample in facts]
    return {
        "total_characters": len(by_label),
        "total_samples": len(facts),
        "character_counts": {label: len(own) for label, own in by_label.items()},
        "average_losses": {label: fmean(own) for label, own in by_label.items()},
        "variant_groups": len(set(links.values())),
        "training_stats": {
            "min_loss": min(losses, default=None),
            "max_loss": max(losses, default=None),
            "avg_loss": fmean(losses) if losses else None,
        },
    }


def _image_path(sample: SampleRow | SampleFacts) -> str:
    folder = f"training_images/{items.folder_path(sample.label)}"
    return f"{folder}/{sample.sample_id}_{_time(sample):%Y%m%d_%H%M%S}.png"


def _time(sample: SampleRow | SampleFacts) -> datetime:
    return datetime.fromtimestamp(sample.time_us / 1e6, tz=timezone.utc).replace(tzinfo=None)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()
