"""The typed client of one server. It uses one channel and is safe to call from any thread.

with HaleganadaClient() as client:
    client.train(Path("a.png"), "ಅ")
    print(client.predict(Path("b.png")).best)
"""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import grpc
from haleganada.v1 import (
    ocr_service_pb2 as ocr,
)
from haleganada.v1 import (
    ocr_service_pb2_grpc,
    sample_service_pb2_grpc,
    workspace_service_pb2_grpc,
)
from haleganada.v1 import (
    sample_service_pb2 as smp,
)
from haleganada.v1 import (
    workspace_service_pb2 as wsp,
)

from . import convert, health, transfers, types
from .connection import ClientConfig, Connection
from .convert import Drawing
from .datasets import DatasetsClient
from .errors import InvalidInput, from_rpc
from .jobs import JobsClient
from .limits import WAIT_LEARNED_MS
from .models import ModelsClient

_TRANSFER_TIMEOUT_S = 3600.0
_BATCH_TIMEOUT_S = 60.0


class HaleganadaClient:
    """The client of one server. Use it in a with statement, or close it.

    Every method raises HaleganadaError (see errors.py) if the server refuses or cannot be reached. workspace=None means
    the client's own workspace. Calls that change something carry a request_id, a new one if none is given, so that a
    repeated call never teaches twice. expected_revision: raise RevisionMismatch if the workspace is at another one.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        workspace: str | None = None,
        token: str | None = None,
        tls: bool | str | os.PathLike[str] | None = None,
        timeout_s: float | None = None,
        retry: bool | None = None,
        config: ClientConfig | None = None,
    ) -> None:
        """Create a client; it connects with the first call. Arguments that are None come from `config`, which comes
        from the environment by default (ClientConfig.from_environment).

        target: HOST:PORT. tls: True to trust gRPC's certificate authorities, or a PEM file of others. timeout_s: the
        deadline of a call in seconds, above 0. retry: False reports every failure at once. Raise InvalidInput for a
        token that would be sent unencrypted, OSError for a PEM file that cannot be read.
        """
        arguments = {"target": target, "workspace": workspace, "token": token, "timeout_s": timeout_s, "retry": retry}
        given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
        self.config = replace(config or ClientConfig.from_environment(), **given, **_tls_fields(tls))
        self._connection = Connection(self.config)
        channel = self._connection.channel
        self._ocr = ocr_service_pb2_grpc.OCRServiceStub(channel)
        self._samples = sample_service_pb2_grpc.SampleServiceStub(channel)
        self._workspaces = workspace_service_pb2_grpc.WorkspaceServiceStub(channel)
        self.datasets = DatasetsClient(self._connection)
        self.jobs = JobsClient(self._connection)
        self.models = ModelsClient(self._connection, self._or_default)

    def __enter__(self) -> HaleganadaClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def health(self, timeout_s: float = 2.0) -> str:
        """Return SERVING, NOT_SERVING or UNKNOWN. Raises Unavailable if no server answers."""
        try:
            return health.check(self._connection.channel, timeout_s)
        except grpc.RpcError as error:
            raise from_rpc(error, self.config.target) from None

    # Teaching

    def train(
        self,
        drawing: Drawing,
        label: str,
        *,
        variant_of: str = "",
        request_id: str | None = None,
        expected_revision: int | None = None,
        wait_learned_s: float = 0,
        workspace: str | None = None,
    ) -> types.Taught:
        """Teach one drawing; it is on the server's disk when this returns.

        wait_learned_s: how long to wait, 0 to 60 seconds, until the workspace's own network has learned the drawing, if
        it has one; Taught.learned says whether it has.
        """
        request = ocr.TrainRequest(
            workspace=self._or_default(workspace),
            glyph=convert.glyph(drawing),
            label=label,
            variant_of=variant_of,
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
            wait_learned_ms=_to_wait_ms(wait_learned_s),
        )
        timeout_s = self.config.timeout_s + wait_learned_s
        return convert.taught(self._connection.call(self._ocr.Train, request, timeout_s))

    def train_batch(
        self, lessons: Sequence[types.Lesson | tuple[Drawing, str, str, str]], *, workspace: str | None = None
    ) -> list[types.Taught | types.ItemError]:
        """Teach up to 256 drawings of at most 16 MiB in all. A refused one does not lose the others."""
        items = [
            ocr.TrainItem(
                glyph=convert.glyph(drawing), label=label, variant_of=variant_of, request_id=_ensure_id(request_id)
            )
            for drawing, label, variant_of, request_id in lessons
        ]
        request = ocr.TrainBatchRequest(workspace=self._or_default(workspace), items=items)
        answer = self._connection.call(self._ocr.TrainBatch, request, _BATCH_TIMEOUT_S)
        return [_convert_item(result, "taught", convert.taught) for result in answer.results]

    def correct(
        self,
        prediction_id: str,
        label: str,
        *,
        variant_of: str = "",
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Correction:
        """Correct an earlier prediction: teach its drawing with the right label."""
        request = ocr.CorrectRequest(
            workspace=self._or_default(workspace),
            prediction_id=prediction_id,
            label=label,
            variant_of=variant_of,
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
        )
        answer = self._connection.call(self._ocr.Correct, request)
        return convert.from_message(types.Correction, answer, taught=convert.taught(answer.taught))

    # Recognizing

    def predict(
        self,
        drawing: Drawing,
        *,
        top_k: int = 5,
        min_revision: int | None = None,
        model: str = "",
        workspace: str | None = None,
    ) -> types.Prediction:
        """Recognize a drawing.

        top_k: maximum number of candidates, 1 to 50. min_revision: the earliest revision that may answer. model: an id
        or unique name, "few-shot", "online" for the workspace's own network, or "" for the workspace's choice;
        Prediction.model says what answered.
        """
        request = ocr.PredictRequest(
            workspace=self._or_default(workspace),
            glyph=convert.glyph(drawing),
            top_k=top_k,
            min_revision=min_revision,
            model=model,
        )
        return convert.prediction(self._connection.call(self._ocr.Predict, request))

    def predict_batch(
        self,
        drawings: Sequence[Drawing],
        *,
        top_k: int = 5,
        min_revision: int | None = None,
        model: str = "",
        workspace: str | None = None,
    ) -> list[types.Prediction | types.ItemError]:
        """Recognize up to 256 drawings of at most 16 MiB in all, in order; arguments as in predict."""
        request = ocr.PredictBatchRequest(
            workspace=self._or_default(workspace),
            glyphs=[convert.glyph(drawing) for drawing in drawings],
            top_k=top_k,
            min_revision=min_revision,
            model=model,
        )
        answer = self._connection.call(self._ocr.PredictBatch, request, _BATCH_TIMEOUT_S)
        return [_convert_item(result, "prediction", convert.prediction) for result in answer.results]

    # Changing what was taught

    def link_variants(
        self,
        form: str,
        canonical: str,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Linked:
        """Make a label a form of a canonical label."""
        request = ocr.LinkVariantsRequest(
            workspace=self._or_default(workspace),
            form=form,
            canonical=canonical,
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.from_message(types.Linked, self._connection.call(self._ocr.LinkVariants, request))

    def unlink_variants(
        self,
        form: str,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Unlinked:
        """Make a form a label of its own again."""
        request = ocr.UnlinkVariantsRequest(
            workspace=self._or_default(workspace),
            form=form,
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.from_message(types.Unlinked, self._connection.call(self._ocr.UnlinkVariants, request))

    def undo(
        self, *, request_id: str | None = None, expected_revision: int | None = None, workspace: str | None = None
    ) -> types.Undone:
        """Undo the last change."""
        request = ocr.UndoRequest(
            workspace=self._or_default(workspace),
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.undone(self._connection.call(self._ocr.Undo, request))

    # Samples

    def list_samples(
        self,
        *,
        label: str = "",
        page_size: int = 50,
        page_token: str = "",
        with_pictures: bool = False,
        workspace: str | None = None,
    ) -> types.SamplePage:
        """Return a page of samples, newest first."""
        request = smp.ListSamplesRequest(
            workspace=self._or_default(workspace),
            label=label,
            page_size=page_size,
            page_token=page_token,
            with_pictures=with_pictures,
        )
        answer = self._connection.call(self._samples.ListSamples, request)
        return convert.from_message(types.SamplePage, answer, samples=convert.to_tuple(convert.sample, answer.samples))

    def iter_samples(
        self, *, label: str = "", with_pictures: bool = False, workspace: str | None = None
    ) -> Iterator[types.Sample]:
        """Yield all samples, newest first."""
        token = ""
        while True:
            page = self.list_samples(
                label=label, page_size=200, page_token=token, with_pictures=with_pictures, workspace=workspace
            )
            yield from page.samples
            token = page.next_page_token
            if not token:
                return

    def get_sample(self, sample_id: int, *, workspace: str | None = None) -> types.Sample:
        """Return one sample with its picture."""
        request = smp.GetSampleRequest(workspace=self._or_default(workspace), sample_id=sample_id)
        return convert.sample(self._connection.call(self._samples.GetSample, request).sample)

    def relabel(
        self,
        sample_id: int,
        label: str,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Sample:
        """Give a sample another label, as if it had been taught with it."""
        request = smp.UpdateSampleRequest(
            workspace=self._or_default(workspace),
            sample_id=sample_id,
            label=label,
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return convert.sample(self._connection.call(self._samples.UpdateSample, request).sample)

    def forget(
        self,
        sample_id: int,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> int:
        """Forget a sample and return the new revision."""
        request = smp.DeleteSampleRequest(
            workspace=self._or_default(workspace),
            sample_id=sample_id,
            request_id=_ensure_id(request_id),
            expected_revision=expected_revision,
        )
        return int(self._connection.call(self._samples.DeleteSample, request).revision)

    # The state of a workspace

    def stats(
        self, *, history_points: int | None = None, find_suspects: bool = False, workspace: str | None = None
    ) -> types.Stats:
        """Return statistics of a workspace and its server."""
        request = ocr.StatsRequest(
            workspace=self._or_default(workspace), history_points=history_points, find_suspects=find_suspects
        )
        return convert.stats(self._connection.call(self._ocr.Stats, request, _BATCH_TIMEOUT_S))

    def save(self, name: str = "", *, workspace: str | None = None) -> types.Snapshot:
        """Save the present state as a snapshot."""
        request = ocr.SaveRequest(workspace=self._or_default(workspace), name=name)
        return convert.snapshot(self._connection.call_once(self._ocr.Save, request, _BATCH_TIMEOUT_S).snapshot)

    def reset(
        self, confirm: str, *, expected_revision: int | None = None, workspace: str | None = None
    ) -> types.Snapshot:
        """Empty a workspace and return the snapshot in the trash of what it held. confirm: the workspace's name."""
        request = ocr.ResetRequest(
            workspace=self._or_default(workspace), confirm=confirm, expected_revision=expected_revision
        )
        return convert.snapshot(self._connection.call_once(self._ocr.Reset, request).snapshot)

    def export(
        self,
        target: str | os.PathLike[str] | BinaryIO,
        format: str = "archive",
        *,
        progress: transfers.Progress | None = None,
        workspace: str | None = None,
    ) -> types.ExportResult:
        """Write everything that was taught to a path or an open binary file.

        format: archive, seed, jsonl or folder. A path appears, or changes, only after the SHA-256 of what arrived was
        checked. progress: called with the number of bytes so far. Raises OSError if the file cannot be written.
        """
        request = ocr.ExportRequest(workspace=self._or_default(workspace), format=_parse_format(format))
        parts = self._connection.stream(self._ocr.Export, request, _TRANSFER_TIMEOUT_S)
        return transfers.write_export(
            parts, Path(target) if isinstance(target, (str, os.PathLike)) else target, progress
        )

    def import_file(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        format: str = "",
        *,
        expected_revision: int | None = None,
        progress: transfers.Progress | None = None,
        workspace: str | None = None,
    ) -> types.ImportReport:
        """Teach everything in a file, given by its path or open. A repeated import teaches nothing twice.

        format: archive, jsonl or folder, "" = detected from the file. progress: called with the number of bytes so far.
        Raises OSError for a file that cannot be read.
        """
        header = ocr.ImportHeader(
            workspace=self._or_default(workspace), format=_parse_format(format), expected_revision=expected_revision
        )
        with Path(source).open("rb") if isinstance(source, (str, os.PathLike)) else nullcontext(source) as file:
            requests = transfers.import_requests(header, file, progress)
            answer = self._connection.call_once(self._ocr.Import, requests, _TRANSFER_TIMEOUT_S)
        return convert.import_report(answer)

    # Workspaces

    def create_workspace(self, name: str) -> types.WorkspaceInfo:
        """Create an empty workspace."""
        request = wsp.CreateWorkspaceRequest(workspace=name)
        return convert.workspace(self._connection.call_once(self._workspaces.CreateWorkspace, request).workspace)

    def get_workspace(self, name: str | None = None) -> types.WorkspaceInfo:
        """Return one workspace."""
        request = wsp.GetWorkspaceRequest(workspace=self._or_default(name))
        return convert.workspace(self._connection.call(self._workspaces.GetWorkspace, request).workspace)

    def list_workspaces(self) -> list[types.WorkspaceInfo]:
        """Return all workspaces, by name."""
        found: list[types.WorkspaceInfo] = []
        token = ""
        while True:
            request = wsp.ListWorkspacesRequest(page_size=500, page_token=token)
            answer = self._connection.call(self._workspaces.ListWorkspaces, request)
            found += [convert.workspace(workspace) for workspace in answer.workspaces]
            token = answer.next_page_token
            if not token:
                return found

    def delete_workspace(self, name: str, confirm: str) -> types.Snapshot:
        """Delete a workspace; its content stays in the trash. confirm: its name."""
        request = wsp.DeleteWorkspaceRequest(workspace=name, confirm=confirm)
        return convert.snapshot(self._connection.call_once(self._workspaces.DeleteWorkspace, request).snapshot)

    def list_snapshots(self, *, workspace: str | None = None) -> list[types.Snapshot]:
        """Return the newest 500 snapshots, newest first."""
        request = wsp.ListSnapshotsRequest(workspace=self._or_default(workspace), page_size=500)
        answer = self._connection.call(self._workspaces.ListSnapshots, request)
        return [convert.snapshot(snapshot) for snapshot in answer.snapshots]

    def restore_snapshot(
        self, snapshot_id: str, *, expected_revision: int | None = None, workspace: str | None = None
    ) -> types.WorkspaceInfo:
        """Restore a workspace from a snapshot."""
        request = wsp.RestoreSnapshotRequest(
            workspace=self._or_default(workspace), snapshot_id=snapshot_id, expected_revision=expected_revision
        )
        answer = self._connection.call_once(self._workspaces.RestoreSnapshot, request, _BATCH_TIMEOUT_S)
        return convert.workspace(answer.workspace)

    def _or_default(self, workspace: str | None) -> str:
        """Return the workspace of a call that may name none."""
        return self.config.workspace if workspace is None else workspace


def _parse_format(name: str) -> ocr.ExportFormat.ValueType:
    if name not in transfers.FORMATS:
        choices = ", ".join(filter(None, transfers.FORMATS))
        raise InvalidInput(f"there is no format “{name}”; choose one of {choices}", "INVALID_INPUT", "format")
    return transfers.FORMATS[name]


def _tls_fields(tls: bool | str | os.PathLike[str] | None) -> dict[str, Any]:
    """Return the fields of a ClientConfig that the argument `tls` stands for; False overrides the environment, too."""
    if tls is None:
        return {}
    return {"tls": tls, "ca": None} if isinstance(tls, bool) else {"tls": True, "ca": Path(tls)}


def _to_wait_ms(seconds: float) -> int:
    if not WAIT_LEARNED_MS.includes(1000 * seconds):
        problem = f"wait_learned_s: {seconds} is not from 0 to {WAIT_LEARNED_MS.maximum // 1000}"
        raise InvalidInput(problem, "INVALID_INPUT", "wait_learned_s")
    return math.ceil(1000 * seconds)


def _ensure_id(request_id: str | None) -> str:
    return request_id or str(uuid.uuid4())


def _convert_item(result: Any, good: str, make: Callable[[Any], Any]) -> Any:
    """Convert the result of one item of a batch: its answer or its error."""
    return make(getattr(result, good)) if result.WhichOneof("result") == good else convert.item_error(result.error)
