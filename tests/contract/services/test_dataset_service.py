"""DatasetService through the generated stubs over loopback: every RPC, every bad input, interrupted uploads."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import numpy as np
import pytest
from grpc import StatusCode
from haleganada.v1 import dataset_service_pb2 as pb
from haleganada.v1 import dataset_service_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import Refusal, expect_refusal
from tests.support.datasets import drawing, drawings, folders_of, idx_files, png, write_npz, write_zip
from tests.support.waiting import wait_until

Part = pb.UploadDatasetRequest
CHUNK = 500


def stub(server: RunningServer) -> dataset_service_pb2_grpc.DatasetServiceStub:
    return dataset_service_pb2_grpc.DatasetServiceStub(server.channel)


def unique() -> str:
    return f"set {uuid4()}"


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Write a zip with two labels in folders, 8 drawings each, in three parts."""
    labels = ["ಅ", "65"]
    files = folders_of(labels, 8, "train/") | folders_of(labels, 2, "val/") | folders_of(labels, 3, "test/")
    return write_zip(tmp_path / "letters.zip", files)


def header(data: bytes, name: str = "", file_name: str = "letters.zip", offset: int = 0, **options: object) -> Part:
    options_ = pb.DatasetOptions(name=name or unique(), **options)  # type: ignore[arg-type]
    sha256 = hashlib.sha256(data).hexdigest()
    return Part(
        header=pb.UploadDatasetHeader(options=options_, file_name=file_name, sha256=sha256, offset_bytes=offset)
    )


def chunks(data: bytes, offset: int = 0) -> list[Part]:
    return [Part(chunk=data[start : start + CHUNK]) for start in range(offset, len(data), CHUNK)]


def upload(server: RunningServer, path: Path, **options: object) -> pb.Dataset:
    data = path.read_bytes()
    first = header(data, file_name=path.name, **options)  # type: ignore[arg-type]
    return stub(server).UploadDataset(iter([first, *chunks(data)])).dataset


def test_upload_dataset(server: RunningServer, letters: Path) -> None:
    made = upload(server, letters, name="ಅಕ್ಷರ")
    assert (made.name, made.train, made.validation, made.test, made.labels_total) == ("ಅಕ್ಷರ", 16, 4, 6, 2)
    assert [(label.label, label.train, label.validation, label.test) for label in made.labels] == [
        ("A", 8, 2, 3),
        ("ಅ", 8, 2, 3),
    ]
    assert (made.refused_total, made.leaks, made.duplicates, made.writers, made.imbalance) == (0, 0, 0, 0, 1)
    assert len(made.sha256) == 64 and made.size_bytes > 26 * 4096 and made.create_time.seconds > 1_600_000_000


def test_get_upload(server: RunningServer) -> None:
    assert stub(server).GetUpload(pb.GetUploadRequest(sha256="ab" * 32)).received_bytes == 0


def test_get_dataset(server: RunningServer, letters: Path) -> None:
    made = upload(server, letters)
    for reference in (made.dataset_id, made.name):
        assert stub(server).GetDataset(pb.GetDatasetRequest(dataset_id=reference)).dataset == made


def test_list_datasets(server: RunningServer, letters: Path) -> None:
    made = [upload(server, letters).dataset_id for _ in range(3)]
    found: list[str] = []
    request = pb.ListDatasetsRequest(page_size=2)
    while True:
        page = stub(server).ListDatasets(request)
        assert len(page.datasets) <= 2 and not any(entry.labels or entry.refused for entry in page.datasets)
        found += [entry.dataset_id for entry in page.datasets]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found[:3] == made[::-1] and len(found) == len(set(found))


def test_delete_dataset(server: RunningServer, letters: Path) -> None:
    made = upload(server, letters)
    stub(server).DeleteDataset(pb.DeleteDatasetRequest(dataset_id=made.dataset_id))
    refusal = expect_refusal(lambda: stub(server).GetDataset(pb.GetDatasetRequest(dataset_id=made.dataset_id)))
    assert (refusal.code, refusal.reason) == (StatusCode.NOT_FOUND, "DATASET_NOT_FOUND")
    again = expect_refusal(lambda: stub(server).DeleteDataset(pb.DeleteDatasetRequest(dataset_id=made.dataset_id)))
    assert again.code == StatusCode.NOT_FOUND


def test_add_dataset(start_server: StartServer, letters: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    (folder / "ಅ").mkdir(parents=True)
    (folder / "65").mkdir()
    for i in range(3):
        (folder / "ಅ" / f"{i}.png").write_bytes(png(drawing(i)))
        (folder / "65" / f"{i}.png").write_bytes(png(drawing(-i - 1)))
    letters.rename(folder / "letters.zip")
    (folder / "way out").symlink_to(tmp_path)
    server = start_server(datasets_from=folder)

    def add(path: str) -> pb.Dataset:
        request = pb.AddDatasetRequest(options=pb.DatasetOptions(name="x"), path=path)
        return stub(server).AddDataset(request).dataset

    assert add("letters.zip").train == 16 and add(str(folder / "letters.zip")).train == 16
    whole = add(".")
    assert whole.labels_total == 2 and {item.item for item in whole.refused} == {"letters.zip"}
    for path in ("..", "way out", "way out/sets/../data", "/etc", str(tmp_path / "data"), "\0"):
        refusal = expect_refusal(lambda path=path: add(path))  # type: ignore[misc]
        assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("path",)), path
    assert expect_refusal(lambda: add("nowhere")).code == StatusCode.NOT_FOUND


def test_nothing_is_read_from_the_servers_disk_unless_allowed(server: RunningServer, letters: Path) -> None:
    request = pb.AddDatasetRequest(options=pb.DatasetOptions(name="x"), path=str(letters))
    refusal = expect_refusal(lambda: stub(server).AddDataset(request))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "DATASETS_FROM_NOT_SET")


def test_preview_dataset(server: RunningServer, letters: Path) -> None:
    """Without torch it says what to install; tests/e2e/server/training/test_training.py has a sheet made."""
    if "torch" in sys.modules:
        pytest.skip("torch is installed here")
    made = upload(server, letters)
    request = pb.PreviewDatasetRequest(dataset_id=made.dataset_id, preset="cnn36")
    refusal = expect_refusal(lambda: stub(server).PreviewDataset(request))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "TORCH_NOT_INSTALLED")
    assert "pip install -e '.[train]'" in refusal.message


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("preset", pb.PreviewDatasetRequest(dataset_id="x")),
        ("preset", pb.PreviewDatasetRequest(dataset_id="x", preset="alexnet")),
        ("dataset_id", pb.PreviewDatasetRequest(preset="cnn36")),
        ("drawings", pb.PreviewDatasetRequest(dataset_id="x", preset="cnn36", drawings=65)),
        ("views", pb.PreviewDatasetRequest(dataset_id="x", preset="cnn36", views=-1)),
    ],
)
def test_bad_previews(server: RunningServer, letters: Path, field: str, request_: pb.PreviewDatasetRequest) -> None:
    if request_.dataset_id:
        request_.dataset_id = upload(server, letters).dataset_id
    refusal = expect_refusal(lambda: stub(server).PreviewDataset(request_))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))


# Interrupted uploads


def test_an_interrupted_upload_continues(server: RunningServer, letters: Path) -> None:
    data = letters.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()

    def interrupted() -> Iterator[Part]:
        yield header(data)
        yield from chunks(data)[:5]
        time.sleep(30)

    call = stub(server).UploadDataset.future(interrupted())
    wait_until(lambda: count_received(server, sha256) == 5 * CHUNK)
    call.cancel()
    arrived = count_received(server, sha256)
    assert arrived == 5 * CHUNK
    made = stub(server).UploadDataset(iter([header(data, offset=arrived), *chunks(data, arrived)])).dataset
    assert made.train == 16 and count_received(server, sha256) == 0


def test_an_upload_continues_after_a_restart(start_server: StartServer, letters: Path) -> None:
    data = letters.read_bytes()
    first = start_server()

    def interrupted() -> Iterator[Part]:
        yield header(data)
        yield from chunks(data)[:3]
        time.sleep(30)

    call = stub(first).UploadDataset.future(interrupted())
    sha256 = hashlib.sha256(data).hexdigest()
    wait_until(lambda: count_received(first, sha256) == 3 * CHUNK)
    call.cancel()
    first.stop()
    second = start_server()
    assert count_received(second, sha256) == 3 * CHUNK
    parts = [header(data, offset=3 * CHUNK), *chunks(data, 3 * CHUNK)]
    assert stub(second).UploadDataset(iter(parts)).dataset.train == 16


def count_received(server: RunningServer, sha256: str) -> int:
    return stub(server).GetUpload(pb.GetUploadRequest(sha256=sha256)).received_bytes


# Bad input


DATA = b"no zip at all"
BAD_STREAMS: dict[str, tuple[list[Part], str]] = {
    "nothing": ([], "header"),
    "no header": (chunks(DATA), "header"),
    "two headers": ([header(DATA), header(DATA)], "part"),
    "an empty part": ([header(DATA), Part()], "part"),
    "too large a chunk": ([header(DATA), Part(chunk=bytes(2**20 + 1))], "chunk"),
    "another hash": ([header(DATA), Part(chunk=b"x")], "header.sha256"),
    "no hash": (
        [Part(header=pb.UploadDatasetHeader(file_name="a.zip", options=header(b"").header.options))],
        "header.sha256",
    ),
    "an offset that nothing has reached": ([header(DATA, offset=7), *chunks(DATA)], "header.offset"),
    "a negative offset": ([header(DATA, offset=-1), *chunks(DATA)], "header.offset"),
    "no options": ([Part(header=pb.UploadDatasetHeader(file_name="a.zip", sha256="ab" * 32))], "options.name"),
    "a share out of range": ([header(DATA, test_share=0.7)], "options.test_share"),
    "a rule from the future": ([header(DATA, split=9)], "options.split"),
    "an orientation from the future": ([header(DATA, orientation=9)], "options.orientation"),
    "another form": ([header(DATA, file_name="letters.rar")], "file_name"),
    "no zip": ([header(DATA), *chunks(DATA)], "file"),
    "no archive of arrays": ([header(DATA, file_name="x.npz"), *chunks(DATA)], "file"),
}


@pytest.mark.parametrize(("requests", "field"), BAD_STREAMS.values(), ids=BAD_STREAMS.keys())
def test_bad_streams(server: RunningServer, requests: list[Part], field: str) -> None:
    before = len(stub(server).ListDatasets(pb.ListDatasetsRequest(page_size=500)).datasets)
    refusal = expect_refusal(lambda: stub(server).UploadDataset(iter(requests)))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
    assert len(stub(server).ListDatasets(pb.ListDatasetsRequest(page_size=500)).datasets) == before
    assert count_received(server, hashlib.sha256(DATA).hexdigest()) == 0


def upload_refused(server: RunningServer, path: Path, **options: object) -> Refusal:
    return expect_refusal(lambda: upload(server, path, **options))


BAD_FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "an empty zip": (lambda folder: write_zip(folder / "s.zip", {}), "no usable drawing"),
    "one label": (lambda folder: write_zip(folder / "s.zip", folders_of("a")), "only drawings of “a”"),
    "only broken images": (
        lambda folder: write_zip(folder / "s.zip", {"a/1.png": b"x", "b/1.png": b"y"}),
        "2 were refused, the first (a/1.png)",
    ),
    "two encodings of a label": (
        lambda folder: write_zip(folder / "s.zip", folders_of(["caf\u00e9", "cafe\u0301", "x"])),
        "several names for one label",
    ),
    "a number and its letter": (
        lambda folder: write_zip(folder / "s.zip", folders_of(["65", "A", "x"])),
        "“65”",
    ),
    "only the unknown": (lambda folder: write_zip(folder / "s.zip", folders_of(["999"])), "at least two labels"),
    "letters without a mapping": (
        lambda folder: write_zip(folder / "s.zip", idx_files(drawings(3), [1, 2, 26], "")),
        "mapping.txt",
    ),
    "objects": (
        lambda folder: write_npz(folder / "s.npz", x=drawings(2), y=np.array([{}, 1], dtype=object)),
        "store numbers or text",
    ),
    "no such arrays": (lambda folder: write_npz(folder / "s.npz", data=[1]), "needs arrays"),
}


@pytest.mark.parametrize(("make", "why"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_files(server: RunningServer, tmp_path: Path, make: Callable[[Path], Path], why: str) -> None:
    path = make(tmp_path)
    refusal = upload_refused(server, path)
    assert refusal.code == StatusCode.INVALID_ARGUMENT and why in refusal.message
    assert count_received(server, hashlib.sha256(path.read_bytes()).hexdigest()) == 0


def test_unknown_writers(server: RunningServer, letters: Path) -> None:
    refusal = upload_refused(server, letters, split=pb.SPLIT_RULE_BY_WRITER)
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("split",))


def test_bad_items_are_listed_and_the_others_imported(server: RunningServer, tmp_path: Path) -> None:
    same = png(drawing("same"))
    files = folders_of(["a", "b"], 5) | {
        "a/broken.png": b"\x89PNG\r\n\x1a\n",
        "a/blank.png": png(np.zeros((28, 28), np.uint8)),
        "a/same.png": same,
        "b/same.png": same,
        "a/twice.png": png(drawing(("", "a", 0))),
        "notes.txt": b"x",
    }
    made = upload(server, write_zip(tmp_path / "s.zip", files))
    reasons = {item.item: item.error.reason for item in made.refused}
    assert reasons == {
        "a/broken.png": "INVALID_INPUT",
        "a/blank.png": "INVALID_INPUT",
        "notes.txt": "INVALID_INPUT",
        "a/same.png": "CONFLICTING_LABELS",
        "b/same.png": "CONFLICTING_LABELS",
    }
    assert (made.refused_total, made.duplicates, made.train + made.validation + made.test) == (5, 1, 10)
    assert all(item.error.code == 3 and item.error.message for item in made.refused)


def test_leaks_between_parts(server: RunningServer, tmp_path: Path) -> None:
    files = folders_of(["a", "b"], 3, "train/") | folders_of(["a", "b"], 2, "val/") | folders_of(["a", "b"], 2, "test/")
    files["train/a/leak.png"] = files["test/a/0.png"]
    files["val/b/leak.png"] = files["test/b/1.png"]
    made = upload(server, write_zip(tmp_path / "s.zip", files))
    assert (made.train, made.validation, made.test, made.leaks, made.duplicates) == (6, 4, 4, 2, 0)
    assert [(leak.item, leak.kept) for leak in made.leaked] == [
        ("train/a/leak.png", "test/a/0.png"),
        ("val/b/leak.png", "test/b/1.png"),
    ]


def test_a_file_over_the_limit(start_server: StartServer, letters: Path) -> None:
    server = start_server(max_upload_bytes=2000)
    refusal = upload_refused(server, letters)
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("chunk",))
    assert count_received(server, hashlib.sha256(letters.read_bytes()).hexdigest()) == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that may not be written to")
def test_a_read_only_disk(start_server: StartServer, letters: Path, tmp_path: Path) -> None:
    server = start_server()
    (tmp_path / "data" / "uploads").chmod(stat.S_IREAD | stat.S_IEXEC)
    assert upload_refused(server, letters).code == StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("call", "request_", "code"),
    [
        ("GetDataset", pb.GetDatasetRequest(), StatusCode.INVALID_ARGUMENT),
        ("GetDataset", pb.GetDatasetRequest(dataset_id="x" * 65), StatusCode.INVALID_ARGUMENT),
        ("GetDataset", pb.GetDatasetRequest(dataset_id="../x"), StatusCode.NOT_FOUND),
        ("DeleteDataset", pb.DeleteDatasetRequest(), StatusCode.INVALID_ARGUMENT),
        ("GetUpload", pb.GetUploadRequest(sha256="../../etc"), StatusCode.INVALID_ARGUMENT),
        ("ListDatasets", pb.ListDatasetsRequest(page_size=-1), StatusCode.INVALID_ARGUMENT),
        ("ListDatasets", pb.ListDatasetsRequest(page_token="x"), StatusCode.INVALID_ARGUMENT),
        ("AddDataset", pb.AddDatasetRequest(path="x"), StatusCode.INVALID_ARGUMENT),
        ("AddDataset", pb.AddDatasetRequest(options=pb.DatasetOptions(name="x")), StatusCode.INVALID_ARGUMENT),
    ],
)
def test_bad_requests(server: RunningServer, call: str, request_: object, code: StatusCode) -> None:
    assert expect_refusal(lambda: getattr(stub(server), call)(request_)).code == code


def test_predictions_are_answered_during_an_import(server: RunningServer, workspace: str, tmp_path: Path) -> None:
    server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=cross(), label="x"))
    path = write_npz(tmp_path / "s.npz", x=drawings(1500), y=[i % 10 for i in range(1500)])
    data = path.read_bytes()
    parts = [header(data, file_name="s.npz"), *(Part(chunk=data[i : i + 2**19]) for i in range(0, len(data), 2**19))]
    call = stub(server).UploadDataset.future(iter(parts))
    answered = 0
    while not call.done():
        server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()), timeout=5)
        answered += 1
    assert call.result().dataset.labels_total == 10 and answered > 5


def test_a_stream_that_fails_on_the_callers_side(server: RunningServer, letters: Path) -> None:
    data = letters.read_bytes()

    def failing() -> Iterator[Part]:
        yield header(data)
        raise OSError("the caller's disk is gone")

    with pytest.raises(grpc.RpcError):
        stub(server).UploadDataset(failing())
    assert upload(server, letters).train == 16
