"""What lists show of workspaces; none is loaded for that."""

from __future__ import annotations

from haleganada_server.core.errors import DataLoss
from haleganada_server.core.model_names import FEW_SHOT

from ..dependencies import WorkspaceDependencies
from ..ports import LogOutline
from ..types import WorkspaceInfo
from ..workspace import Workspace
from .entry import Entry
from .registry import Registry


class Overview:
    """Describes the workspaces of a registry. Safe from any thread."""

    def __init__(self, registry: Registry, dependencies: WorkspaceDependencies) -> None:
        self._registry, self._dependencies = registry, dependencies

    def describe_briefly(self, name: str) -> WorkspaceInfo:
        """Return what a list shows of a workspace, without loading it. Raises NotFound."""
        try:
            return self.describe(name, self.outline(name))
        except DataLoss:
            return self.describe(name, None)

    def outline(self, name: str) -> LogOutline:
        """Return a workspace's outline. Raises NotFound, and DataLoss, which is remembered."""
        entry = self._registry.require(name)
        workspace = entry.workspace
        if workspace is not None:
            return outline_loaded(workspace)
        with entry.lock:
            entry.require_readable()
            if entry.workspace is not None:
                return outline_loaded(entry.workspace)
            if entry.outline is None or self._dependencies.directory.is_shared:
                entry.outline = self._read_outline(entry)
            return entry.outline

    def _read_outline(self, entry: Entry) -> LogOutline:
        try:
            return self._dependencies.directory.outline(entry.name, self._dependencies.encoder.embedder_hash)
        except DataLoss:
            self._registry.load_if_readable(entry)  # which says more, and logs it
            entry.require_readable()
            raise

    def describe(self, name: str, outline: LogOutline | None) -> WorkspaceInfo:
        """Return what a list shows; outline None: the workspace is corrupt."""
        encoder, models = self._dependencies.encoder, self._dependencies.models
        return WorkspaceInfo(
            name=name,
            samples_total=outline.samples_total if outline else 0,
            labels_known=outline.labels_known if outline else 0,
            revision=outline.revision if outline else 0,
            created_us=outline.created_us if outline else 0,
            bytes_on_disk=outline.bytes_on_disk if outline else 0,
            corrupt=outline is None,
            embedder_hash=encoder.embedder_hash,
            samples_to_embed=outline.samples_to_embed if outline else 0,
            model=models.active_models.model_id_of(name) if outline else FEW_SHOT,
            online=self._dependencies.learners.status(name) if outline else None,
        )


def outline_loaded(workspace: Workspace) -> LogOutline:
    """Return the outline of a workspace that is in memory."""
    known, log = workspace.knowledge, workspace.log
    return LogOutline(
        revision=known.revision,
        samples_total=known.samples_total,
        labels_known=known.labels_known,
        samples_to_embed=known.stale.count,
        created_us=log.created_us,
        bytes_on_disk=log.bytes_on_disk(),
    )
