"""Carries out an import from the file to the commit, between the snapshot before it and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.disk.failpoints import reach

from ..changes.commit_queue import PendingChange
from ..dependencies import WorkspaceDependencies
from ..ports import ImportItem, ImportStage
from ..snapshots.automatic import AutomaticSnapshots
from ..state import WorkspaceState
from ..types import Imported, RefusedItem, SnapshotInfo, TransferFormat
from .preparing import ImportTally, stage_items
from .rehearsal import Rehearsal
from .teaching import ImportTerms, find_taught, teach_staged


class Importer:
    """Imports files into one workspace. Safe from any thread."""

    def __init__(
        self,
        state: WorkspaceState,
        dependencies: WorkspaceDependencies,
        automatic_snapshots: AutomaticSnapshots,
        save_before: Callable[[], SnapshotInfo],
    ) -> None:
        """save_before: takes a snapshot of the state before the import."""
        self._state, self._dependencies = state, dependencies
        self._automatic_snapshots, self._save_before = automatic_snapshots, save_before

    def require_importable(self, expected_revision: int | None) -> None:
        """See Workspace.require_importable."""
        self._state.require_revision(expected_revision)
        self._dependencies.directory.require_room()
        self._state.require_room(1)

    def import_file(self, path: Path, form: TransferFormat | None, terms: ImportTerms) -> Imported:
        """See Workspace.import_file."""
        self.require_importable(terms.expected_revision)
        notes: list[str] = []
        items = self._dependencies.directory.read_import(path, form, terms.folder_names, notes.append)
        return replace(self.import_items(items, terms), notes=tuple(notes))

    def import_items(self, items: Iterator[ImportItem | RefusedItem], terms: ImportTerms) -> Imported:
        """See Workspace.import_items."""
        directory, encoder = self._dependencies.directory, self._dependencies.encoder
        self.require_importable(terms.expected_revision)
        with closing(directory.stage_import()) as stage:
            rehearsal = Rehearsal(lambda: self._state.knowledge, self._dependencies.head_parameters)
            find_known = lambda keys: self._state.run(find_taught(keys))  # noqa: E731
            require_room = self._state.require_room
            tally = stage_items(items, stage, encoder, rehearsal, find_known, require_room, terms.cancellation)
            before = self._teach_staged(stage, tally, terms)
        return Imported(
            imported=tally.taught,
            duplicates=tally.duplicates,
            refused=tuple(tally.refused),
            refused_total=tally.refused_total,
            revision=self._state.knowledge.revision,
            before=before,
        )

    def _teach_staged(self, stage: ImportStage, tally: ImportTally, terms: ImportTerms) -> SnapshotInfo | None:
        """Teach what is on the stage in one transaction; return the snapshot before it, None if nothing has changed."""
        name = self._state.log.name
        before = self._save_before() if self._state.knowledge.samples_total else None
        change, has_taught = PendingChange(teach_staged(stage, tally, terms)), False
        try:
            terms.cancellation.check()
            self._state.run_alone(change)
            has_taught = change.result().taught > 0
            reach("import.committed")
        finally:
            if before is not None and not has_taught:
                self._dependencies.directory.discard(name, before)
        if before is not None and has_taught:
            self._automatic_snapshots.note_kept(name)
        return before if has_taught else None
