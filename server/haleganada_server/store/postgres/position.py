"""How far a workspace's log in the database has come."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.store.sample_log.mark import Mark

from .connections import Row

_COLUMNS = "log_id, created_us, revision, last_sample_id, samples_total, embedded, stored_bytes, deleted, digest"
READ = f"SELECT {_COLUMNS} FROM workspaces WHERE name = %s"
"""The query of a workspace's position."""
LOCK = f"{READ} FOR UPDATE"
"""The same, by whoever changes the workspace: others that want to wait for the end of the transaction."""
ADD = f"INSERT INTO workspaces (name, {_COLUMNS}) VALUES (%s, 0, 0, 0, 0, 0, 0, 0, true, %s) ON CONFLICT DO NOTHING"
"""Give a workspace that does not exist its row, so that it can be locked; the values are its name and a digest."""
SET = (
    "UPDATE workspaces SET log_id = %s, created_us = %s, revision = %s, last_sample_id = %s, samples_total = %s, "
    "embedded = %s, stored_bytes = %s, deleted = %s, digest = %s WHERE name = %s"
)
"""Replace a position; see Position.values."""
ADVANCE = (
    "UPDATE workspaces SET revision = %s, last_sample_id = %s, samples_total = %s, embedded = %s, stored_bytes = %s, "
    "digest = %s WHERE name = %s"
)
"""Note that a log has come further; see Position.advanced."""


@dataclass(frozen=True, slots=True)
class Position:
    """A workspace's row. revision, last_sample_id: the greatest ever used, also by logs before this one. samples_total:
    live ones. embedded: how often embeddings were replaced. stored_bytes: about what the log takes. digest: 16 bytes,
    the checksum of the log up to the revision.
    """

    log_id: int
    created_us: int
    revision: int
    last_sample_id: int
    samples_total: int
    embedded: int
    stored_bytes: int
    deleted: bool
    digest: bytes

    @classmethod
    def of(cls, row: Row | None) -> Position | None:
        """Return what a row of READ or LOCK says; None without one."""
        return cls(*row) if row is not None else None

    @classmethod
    def of_deleted(cls, revision: int, last_sample_id: int, digest: bytes) -> Position:
        """Return the row of a workspace that has nothing left but what must not be used again."""
        return cls(
            log_id=0,
            created_us=0,
            revision=revision,
            last_sample_id=last_sample_id,
            samples_total=0,
            embedded=0,
            stored_bytes=0,
            deleted=True,
            digest=digest,
        )

    def values(self) -> Row:
        """Return the values for SET without the name, which are those of a row of READ."""
        return (
            self.log_id, self.created_us, self.revision, self.last_sample_id, self.samples_total, self.embedded,
            self.stored_bytes, self.deleted, self.digest,
        )  # fmt: skip

    def advanced(self, name: str) -> Row:
        """Return the values for ADVANCE."""
        return (
            self.revision, self.last_sample_id, self.samples_total, self.embedded, self.stored_bytes, self.digest, name,
        )  # fmt: skip

    def to_mark(self) -> Mark:
        """Return what the mark of a log in a file would say."""
        return Mark(
            revision=self.revision,
            last_sample_id=self.last_sample_id,
            digest=self.digest,
            samples_total=self.samples_total,
            deleted=self.deleted,
        )
