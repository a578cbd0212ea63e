"""The file format of this project's predecessor: training_log.json, training_summary.json, training_images/.

The files are views, computed from the log. vocab_size equals total_chars, because there are no dummy classes. Folders
of images are named by code points, since a label may be any text. Times are UTC.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from statistics import fmean
from typing import Any

from haleganada_server.core.disk import zip_files
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.sample_log.rows import SampleFacts, SampleRow
from haleganada_server.store.sample_log.reader import LogReader

from . import items
from .drawings import to_png

LOG, SUMMARY = "training_log.json", "training_summary.json"
LISTS = (LOG, SUMMARY)
_WriteFile = Callable[[str, bytes], None]


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write a zip."""
    with zipfile.ZipFile(path, "w") as file:

        def write_file(name: str, content: bytes) -> None:
            file.writestr(zip_files.new_member(name), content, compresslevel=1)

        _write(log, rasterizer, write_file)


def _write(log: LogReader, rasterizer: Rasterizer, write_file: _WriteFile) -> None:
    """Write all files. `log` must not change during that, because it is read twice."""
    links, facts = log.links(), log.sample_facts()
    for sample in log.all_samples():
        write_file(_image_path(sample), to_png(sample, rasterizer))
    write_file(LOG, _to_json(list(_list_records(facts, links, log.class_ids()))))
    write_file(SUMMARY, _to_json(_summarize(facts, links)))


def _list_records(
    facts: list[SampleFacts], links: dict[str, str], class_ids: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield each sample with the ten keys of training_log.json."""
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


def _summarize(facts: list[SampleFacts], links: dict[str, str]) -> dict[str, Any]:
    """Return the content of training_summary.json; the three losses are null if nothing was taught."""
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
    folder = f"training_images/{items.label_to_folders(sample.label)}"
    return f"{folder}/{sample.sample_id}_{_time(sample):%Y%m%d_%H%M%S}.png"


def _time(sample: SampleRow | SampleFacts) -> datetime:
    return datetime.fromtimestamp(sample.time_us / 1e6, tz=timezone.utc).replace(tzinfo=None)


def _to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()
