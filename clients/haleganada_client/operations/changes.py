"""Link forms, and undo."""

from __future__ import annotations

from haleganada.v1 import ocr_service_pb2 as ocr

from haleganada_client import types
from haleganada_client.calls.dual import dual_method
from haleganada_client.wire import convert
from haleganada_client.wire.build import build

from .base import BATCH_TIMEOUT_S, Operations, ensure_id


class Changes(Operations):
    """Link forms, and undo."""

    @dual_method
    async def link_variants(
        self,
        form: str,
        canonical: str,
        *,
        join_groups: bool = False,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Linked:
        """Make a label a form of a canonical label. join_groups: with all other forms of its group."""
        request = build(
            ocr.LinkVariantsRequest,
            workspace=self._or_default(workspace),
            form=form,
            canonical=canonical,
            join_groups=join_groups,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.from_message(types.Linked, await self._connection.call(self._ocr.LinkVariants, request))

    @dual_method
    async def unlink_variants(
        self,
        form: str,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Unlinked:
        """Make a form a label of its own again."""
        request = build(
            ocr.UnlinkVariantsRequest,
            workspace=self._or_default(workspace),
            form=form,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.from_message(types.Unlinked, await self._connection.call(self._ocr.UnlinkVariants, request))

    @dual_method
    async def undo(
        self,
        *,
        whole_batch: bool = False,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Undone:
        """Undo the last change; with whole_batch all changes of its batch. With expected_revision, the revision that a
        change returned, only that change.
        """
        request = build(
            ocr.UndoRequest,
            workspace=self._or_default(workspace),
            whole_batch=whole_batch,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.undone(
            await self._connection.call(self._ocr.Undo, request, BATCH_TIMEOUT_S if whole_batch else 0)
        )
