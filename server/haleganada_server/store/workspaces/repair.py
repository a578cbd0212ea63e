"""Building a workspace's file anew from what is left of a damaged one and of the newest sound snapshot."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from haleganada_server.core.clock import now_us
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.store import files
from haleganada_server.store.sample_log import schema
from haleganada_server.store.sample_log.integrity.salvage import Salvage, salvage
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.mark import Mark

from .home import DESCRIPTION, LOG, copy_log_files
from .replacement import finish
from .snapshots import SnapshotFolder, remove_journals

_NAMED = 10
_REPLACED = (ChangeKind.RESET, ChangeKind.RESTORE)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What can be saved. from_snapshot: ids of the samples that come from the snapshot. lost: ids of known live samples
    that are nowhere. samples_before: live samples according to the mark, 0 = unknown.
    """

    left: Salvage
    snapshot: SnapshotInfo | None
    from_snapshot: list[int]
    lost: list[int]
    samples_before: int

    def describe(self) -> list[str]:
        """Return sentences that say what can be saved and what cannot."""
        own = len(self.left.samples) - len(self.from_snapshot)
        of = f" of {self.samples_before}" if self.samples_before else ""
        sentences = [f"{own}{of} samples can be read from the workspace's file"]
        if self.snapshot is not None and self.from_snapshot:
            sentences.append(f"{len(self.from_snapshot)} more come from the snapshot {self.snapshot.snapshot_id}")
        if self.left.to_embed:
            sentences.append(f"the embeddings of {len(self.left.to_embed)} of them are computed again")
        if self.left.without_drawing:
            sentences.append(f"{len(self.left.without_drawing)} of them have lost their drawings")
        if self.lost:
            sentences.append(f"lost are {len(self.lost)} samples: {_list(self.lost)}")
        if self.left.has_history:
            kept = len(self.left.forgotten_samples)
            sentences.append(f"all changes are kept, so that undo goes on, and {kept} forgotten samples")
        else:
            sentences.append("not kept are forgotten samples, and what undo would go back to")
        missing = self.samples_before - len(self.left.samples) - len(self.lost)
        if missing > 0:
            sentences.append(f"{missing} further samples are lost, of which nothing is left")
        return sentences


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair saved, and the damaged file in the trash; None if there was no file."""

    saved: Salvaged
    retired: SnapshotInfo | None


def salvage_workspace(home: Path, folder: SnapshotFolder, mark: Mark, scratch: Path) -> Salvaged:
    """Read what is left in a workspace's folder. The damaged file is copied first, so that it stays as it is."""
    copy = scratch / "damaged"
    copy.mkdir()
    copy_log_files(home, copy)
    left = salvage(copy / LOG, _read_origin(home, folder.name), max(mark.revision, mark.last_sample_id))
    snapshot, from_snapshot = None, list[int]()
    for info in folder.all():
        if not info.trash and folder.is_sound(info):
            snapshot, from_snapshot = info, _add_from_snapshot(folder, info, left, scratch)
            break
    lost = sorted(set(left.lost) - set(from_snapshot))
    return Salvaged(left, snapshot, from_snapshot, lost, mark.samples_total)


def write_salvaged(state: Path, name: str, found: Salvaged, used: Mark) -> None:
    """Write what was saved to a new file, with an event that tells of the repair. used: the greatest revision and
    sample_id of the damaged file.
    """
    repaired = Event(ChangeKind.RESTORE, now_us())
    if found.left.has_history:
        schema.create(state, name, found.left.created_us)
        _write_history(state, name, found.left)
        finish(state, name, repaired, used)
    else:
        schema.create(state, name, now_us())
        finish(state, name, repaired, used)
        _teach_again(state, name, found)


def _write_history(state: Path, name: str, left: Salvage) -> None:
    """Write all samples, and the events with their own revisions."""
    undone_by = {event.target: event.revision for event in left.events if event.kind is ChangeKind.UNDO}
    with closing(SqliteLog(state, name)) as log, log.transaction() as transaction:
        for event in left.events:
            transaction.append(replace(event, undone_by=undone_by.get(event.revision, 0)))
        for sample_id, sample in sorted({**left.samples, **left.forgotten_samples}.items()):
            transaction.add_sample(sample)
            if sample_id in left.forgotten_samples:
                transaction.set_forgotten(sample_id, True)
        for form, canonical in left.links.items():
            transaction.set_canonical(form, canonical)


def _teach_again(state: Path, name: str, found: Salvaged) -> None:
    """Write the live samples and links, each with an event of its own, after those that are there."""
    with closing(SqliteLog(state, name)) as log, log.transaction() as transaction:
        for sample_id, sample in sorted(found.left.samples.items()):
            transaction.add_sample(sample)
            event = found.left.taught.get(sample_id) or Event(
                ChangeKind.TEACH, sample.time_us, sample_id=sample_id, label=sample.label
            )
            transaction.append(replace(event, label=sample.label, canonical="", previous="", revision=0))
        for form, canonical in found.left.links.items():
            transaction.set_canonical(form, canonical)
            transaction.append(Event(ChangeKind.LINK, now_us(), label=form, canonical=canonical))
    remove_journals(state)
    files.sync_file(state)


def _add_from_snapshot(folder: SnapshotFolder, info: SnapshotInfo, left: Salvage, scratch: Path) -> list[int]:
    """Add the live samples of a snapshot that the damaged file lacks; return their ids. Samples of which no event is
    left are added only if they can be the workspace's.
    """
    copy, added, may_be_new = scratch / "snapshot.sqlite3", [], _may_know_more(info, left)
    folder.copy_out(info.snapshot_id, copy)
    with suppress(DataLoss), closing(SqliteLog(copy, folder.name)) as log:
        for sample in log.all_samples():
            known = left.samples.get(sample.sample_id)
            if known is None and sample.sample_id not in left.forgotten:
                if may_be_new or sample.sample_id in left.labels:
                    label = left.labels.get(sample.sample_id, sample.label)  # it may have been changed since
                    left.samples[sample.sample_id] = replace(sample, label=label)
                    added.append(sample.sample_id)
            elif known is not None and not known.glyph and known.revision == sample.revision:
                left.samples[sample.sample_id] = replace(known, glyph_kind=sample.glyph_kind, glyph=sample.glyph)
                left.without_drawing.remove(sample.sample_id)
        for form, canonical in log.links().items():
            if may_be_new and not left.events_sound:
                left.links.setdefault(form, canonical)
    return added


def _may_know_more(info: SnapshotInfo, left: Salvage) -> bool:
    """Return whether a snapshot may hold changes of the workspace that the events which are left do not tell. It does
    not if they go on without a gap beyond it, or if the workspace was reset or restored after it.
    """
    if left.events_sound and left.events[-1].revision >= info.revision:
        return False
    return all(event.kind not in _REPLACED or event.revision <= info.revision for event in left.events)


def _read_origin(home: Path, name: str) -> list[tuple[str, int]]:
    """Return name and time of creation as workspace.json gives them, if it is readable."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return [(name, int(json.loads((home / DESCRIPTION).read_text(encoding="utf-8"))["created_us"]))]
    return []


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:_NAMED])) + (", …" if len(numbers) > _NAMED else "")
