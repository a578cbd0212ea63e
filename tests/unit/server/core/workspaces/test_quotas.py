"""A workspace never has more than it may, however many teach at once; what is refused leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, QuotaExceeded
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.outcomes import Outcome, raise_if_error
from haleganada_server.core.shares.quotas import Quota, WorkspaceQuotas
from haleganada_server.core.workspaces.types import Lesson, Taught, TransferFormat
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces

from tests.unit.server.core.workspaces.small_world import drawing, lesson, open_workspaces


@contextmanager
def open_limited(folder: Path, most: int | None = None, **quotas: int) -> Iterator[Workspaces]:
    """Open workspaces with quotas. most: workspaces."""
    found = WorkspaceQuotas(**quotas)
    with closing(open_workspaces(folder, find_quotas=lambda _: found, max_workspaces=most)) as workspaces:
        yield workspaces


def count_taught(outcomes: list[Outcome[Taught]]) -> int:
    return sum(isinstance(outcome, Taught) for outcome in outcomes)


def encode_character(workspace: Workspace, character: int) -> Drawing:
    (found,) = workspace._dependencies.encoder.encode_many([drawing(character, 0)])
    return raise_if_error(found)


def test_samples(tmp_path: Path) -> None:
    with open_limited(tmp_path, samples=2) as workspaces:
        workspace = workspaces.get()
        first, _ = workspace.train(lesson(0)), workspace.train(lesson(1))
        with pytest.raises(
            QuotaExceeded, match=r"2 of the 2 samples.*limits set --workspace NAME workspace-samples=N"
        ) as refusal:
            workspace.train(lesson(2))
        assert refusal.value.reason is Reason.QUOTA_EXCEEDED
        assert workspace.list_quotas() == (Quota("workspace-samples", 2, 2),)
        workspace.forget(first.sample_id)
        workspace.train(lesson(2))
        with pytest.raises(QuotaExceeded):  # whose place is taken by now
            workspace.undo(), workspace.undo(), workspace.train(lesson(3)), workspace.train(lesson(4))
        assert workspace.knowledge.samples_total == 2


def test_nothing_is_encoded_for_a_full_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_limited(tmp_path, samples=1) as workspaces:
        workspace = workspaces.get()
        workspace.train(lesson(0))
        monkeypatch.setattr(workspace._dependencies.encoder, "encode_many", None)
        with pytest.raises(QuotaExceeded):
            workspace.train_batch([lesson(1), lesson(2)])


def test_a_repeated_request_is_answered_by_a_full_workspace(tmp_path: Path) -> None:
    with open_limited(tmp_path, samples=1) as workspaces:
        first = workspaces.get().train(lesson(0, request_id="one"))
        again = workspaces.get().train(lesson(0, request_id="one"))
        assert again.duplicate and again.sample_id == first.sample_id
        with pytest.raises(QuotaExceeded):
            workspaces.get().train(lesson(0, request_id="two"))


def test_a_batch_is_taught_as_far_as_there_is_room(tmp_path: Path) -> None:
    with open_limited(tmp_path, samples=3) as workspaces:
        outcomes = workspaces.get().train_batch([lesson(number) for number in range(5)])
        assert [isinstance(outcome, QuotaExceeded) for outcome in outcomes] == [False] * 3 + [True] * 2


def test_concurrent_batches_cannot_overshoot(tmp_path: Path) -> None:
    batches: list[list[Outcome[Lesson]]] = [[lesson(c, hand) for c in range(6)] for hand in range(12)]
    with open_limited(tmp_path, samples=40) as workspaces, ThreadPoolExecutor(6) as pool:
        workspace = workspaces.get()
        found = list(pool.map(lambda batch: _try_to_teach(workspace, batch), batches))
        assert sum(found) == workspace.knowledge.samples_total == 40
    with open_limited(tmp_path, samples=40) as again:
        assert again.get().knowledge.samples_total == 40


def _try_to_teach(workspace: Workspace, batch: list[Outcome[Lesson]]) -> int:
    try:
        return count_taught(workspace.train_batch(batch))
    except QuotaExceeded:
        return 0


def test_labels(tmp_path: Path) -> None:
    with open_limited(tmp_path, labels=2) as workspaces:
        workspace = workspaces.get()
        one, _, _ = (workspace.train(lesson(number, 0, label)) for number, label in enumerate("aab"))
        with pytest.raises(QuotaExceeded, match="2 of the 2 labels"):
            workspace.train(lesson(3, 0, "c"))
        with pytest.raises(QuotaExceeded):
            workspace.relabel(one.sample_id, "c")
        workspace.relabel(one.sample_id, "b")
        workspace.train(lesson(3, 0, "a"))
        assert set(workspace.knowledge.class_ids) == {"a", "b"}


def test_bytes(tmp_path: Path) -> None:
    with open_limited(tmp_path, size=200_000) as workspaces:
        workspace = workspaces.get()
        with pytest.raises(QuotaExceeded, match=r"MB on disk.*workspace-bytes"):
            for number in range(400):
                workspace.train(lesson(number % 6, number))
        assert workspace.knowledge.samples_total > 3
        assert workspace.log.bytes_on_disk() < 260_000  # pages and the journal come in lumps


def test_an_import_is_whole(tmp_path: Path) -> None:
    with open_limited(tmp_path / "from") as workspaces:
        workspaces.get().train_batch([lesson(number) for number in range(4)])
        exported = workspaces.get().export(TransferFormat.ARCHIVE)
        with open_limited(tmp_path / "to", samples=5) as others, closing(exported):
            workspace = others.get()
            workspace.train_batch([lesson(7), lesson(8)])
            with pytest.raises(Exhausted, match="workspace-samples"):
                workspace.import_file(exported.path)
            assert workspace.knowledge.samples_total == 2
            workspace.forget(1)
            assert workspace.import_file(exported.path).imported == 4
            with pytest.raises(Exhausted):
                workspace.require_importable(None)


def test_an_import_that_others_leave_no_room_for_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_limited(tmp_path / "from") as workspaces:
        workspaces.get().train_batch([lesson(number) for number in range(4)])
        exported = workspaces.get().export(TransferFormat.ARCHIVE)
        with open_limited(tmp_path / "to", samples=5) as others, closing(exported):
            workspace = others.get()
            workspace.train_batch([lesson(7), lesson(8)])
            monkeypatch.setattr(workspace.state, "require_room", lambda _samples: None)
            with pytest.raises(Exhausted, match="workspace-samples"):
                workspace.import_file(exported.path)
            assert workspace.knowledge.samples_total == 2 and len(workspace.samples().samples) == 2
            monkeypatch.undo()
            assert count_taught(workspace.train_batch([lesson(number) for number in range(9)])) == 3


def test_a_page_exchanges_all_or_nothing(tmp_path: Path) -> None:
    with open_limited(tmp_path, samples=3) as workspaces:
        workspace = workspaces.get()
        drawings = [(f"L{character}", encode_character(workspace, character)) for character in range(5)]
        with pytest.raises(QuotaExceeded):
            workspace.exchange(drawings, [])
        assert workspace.knowledge.samples_total == 0 and workspace.knowledge.revision == 0
        assert len(workspace.exchange(drawings[:3], [])) == 3


def test_workspaces(tmp_path: Path) -> None:
    with open_limited(tmp_path, 2) as workspaces:
        workspaces.create("a")
        with pytest.raises(QuotaExceeded, match=r"as many workspaces as it may, 2.*--limit workspaces=N"):
            workspaces.create("b")
        assert workspaces.list_quotas() == (Quota("workspaces", 2, 2),)
        workspaces.delete("a", "a")
        workspaces.create("b")
        kept = workspaces.snapshots("a")[0].snapshot_id
        with pytest.raises(QuotaExceeded):
            workspaces.restore("a", kept)


def test_a_lowered_quota_lets_everything_else_go_on(tmp_path: Path) -> None:
    with open_limited(tmp_path) as workspaces:
        taught = workspaces.get().train_batch([lesson(number) for number in range(4)])
    with open_limited(tmp_path, samples=2, labels=2) as workspaces:
        workspace = workspaces.get()
        assert workspace.list_quotas()[0] == Quota("workspace-samples", 4, 2)
        assert workspace.predict(drawing(0, 9)).candidates
        workspace.relabel(raise_if_error(taught[0]).sample_id, "L1")
        workspace.forget(raise_if_error(taught[1]).sample_id)
