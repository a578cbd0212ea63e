"""The state of a workspace: statistics, saving, exports and imports."""

from __future__ import annotations

from contextlib import ExitStack

from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import server_service_pb2, server_service_pb2_grpc

from haleganada_client import types
from haleganada_client.calls.dual import dual_method
from haleganada_client.labeled.label_file import Labels
from haleganada_client.labeled.labeled_zip import open_labeled
from haleganada_client.wire import convert, transfers
from haleganada_client.wire.arguments import parse_choice
from haleganada_client.wire.build import build

from .base import BATCH_TIMEOUT_S, TRANSFER_TIMEOUT_S, Operations


class State(Operations):
    """The state of a workspace: statistics, saving, exports and imports."""

    @dual_method
    async def stats(
        self, *, history_points: int | None = None, find_suspects: bool = False, workspace: str | None = None
    ) -> types.Stats:
        """Return statistics of a workspace and its server."""
        request = build(
            ocr.StatsRequest,
            workspace=self._or_default(workspace),
            history_points=history_points,
            find_suspects=find_suspects,
        )
        return convert.stats(await self._connection.call(self._ocr.Stats, request, BATCH_TIMEOUT_S))

    @dual_method
    async def server_status(self) -> types.ServerStatus:
        """Return how busy the server is. It may be asked each second."""
        stub = self._connection.make_stub(server_service_pb2_grpc.ServerServiceStub)
        answer = await self._connection.call(stub.GetServerStatus, server_service_pb2.GetServerStatusRequest())
        return convert.server_status(answer.status)

    @dual_method
    async def save(self, name: str = "", *, workspace: str | None = None) -> types.Snapshot:
        """Save the current state as a snapshot."""
        request = build(ocr.SaveRequest, workspace=self._or_default(workspace), name=name)
        answer = await self._connection.call_once(self._ocr.Save, request, BATCH_TIMEOUT_S)
        return convert.snapshot(answer.snapshot)

    @dual_method
    async def reset(
        self, confirm: str, *, expected_revision: int | None = None, workspace: str | None = None
    ) -> types.Snapshot | None:
        """Empty a workspace and return the snapshot in the trash of what it held, None if its file was missing.
        confirm: the workspace's name.
        """
        request = build(
            ocr.ResetRequest,
            workspace=self._or_default(workspace),
            confirm=confirm,
            expected_revision=expected_revision,
        )
        answer = await self._connection.call_once(self._ocr.Reset, request)
        return convert.snapshot(answer.snapshot) if answer.HasField("snapshot") else None

    @dual_method
    async def export(
        self,
        target: transfers.Target,
        format: str = "archive",
        *,
        snapshot_id: str = "",
        progress: transfers.Progress | None = None,
        workspace: str | None = None,
    ) -> types.ExportResult:
        """Write everything that was taught to a path or an open binary file.

        format: archive, seed, jsonl or folder. snapshot_id: export this snapshot, not the current state. A path
        appears, or changes, only after the SHA-256 of what arrived was checked. progress: called with the number of
        bytes so far. Raises OSError if the file cannot be written.
        """
        request = build(
            ocr.ExportRequest,
            workspace=self._or_default(workspace),
            format=parse_choice(format, transfers.FORMATS, "format"),
            snapshot_id=snapshot_id,
        )
        parts = self._connection.stream(self._ocr.Export, request, TRANSFER_TIMEOUT_S)
        return await transfers.write_export(parts, target, progress, self._connection.offload)

    @dual_method
    async def import_file(
        self,
        source: transfers.Source,
        format: str = "",
        *,
        expected_revision: int | None = None,
        folder_names: str = "auto",
        labels: Labels | None = None,
        progress: transfers.Progress | None = None,
        workspace: str | None = None,
    ) -> types.ImportReport:
        """Teach everything in a file, given by its path or open, or nothing if this fails. If the connection breaks,
        the server may have taught it nevertheless; import it again, which teaches nothing twice.

        format: archive, jsonl or folder, "" = detected from the file. folder_names: how to read folders that are named
        by numbers: auto, text or code-points. labels: a CSV or JSON lines file with the path and the label of each
        picture, or a mapping, instead of folder names; the source is then the path of a folder or a .zip, and pictures
        without a label are left out. progress: called with the number of bytes so far.
        Raises OSError for a file that cannot be read.
        """
        header = build(
            ocr.ImportHeader,
            workspace=self._or_default(workspace),
            format=parse_choice(format, transfers.FORMATS, "format"),
            expected_revision=expected_revision,
            folder_names=parse_choice(folder_names, convert.FOLDER_NAMES, "folder_names"),
        )
        with ExitStack() as stack:
            if labels is not None:
                source = await self._connection.offload(stack.enter_context, open_labeled(source, labels))
            file = await self._connection.offload(lambda: stack.enter_context(transfers.open_source(source)))
            requests = transfers.import_requests(ocr.ImportRequest, header, file, progress)
            answer = await self._connection.call_once(self._ocr.Import, requests, TRANSFER_TIMEOUT_S)
        return convert.import_report(answer)
