"""`haleganada datasets` and client.datasets against a real server process."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from haleganada_client import FailedPrecondition, HaleganadaClient, InvalidInput, NotFound

from tests.e2e.cli.command_line import AS_AT_A_TERMINAL, haleganada
from tests.e2e.processes import ServerProcess, server, zigzag
from tests.support.datasets import drawing, drawings, folders_of, idx_files, png, write_npz, write_zip
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the server may read from."""
    root = tmp_path_factory.mktemp("shelf")
    write_npz(root / "digits.npz", x=drawings(40), y=[i % 4 for i in range(40)], writer=[i % 5 for i in range(40)])
    return root


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data"), "--datasets-from", str(shelf)) as process:
        yield process


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A folder of three labels in two parts."""
    for name, content in (folders_of("abc", 6, "train/") | folders_of("abc", 2, "test/")).items():
        path = tmp_path / "letters" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "letters"


def run(running: ServerProcess, *arguments: str | Path, code: int = 0) -> str:
    done = haleganada("--server", running.address, "datasets", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout if code in (0, 1) and done.stdout else done.stderr


def run_json(running: ServerProcess, *arguments: str | Path) -> Any:
    return json.loads(run(running, *arguments, "--json"))


def test_what_was_taught_becomes_a_data_set(running: ServerProcess, tmp_path: Path) -> None:
    with running.client() as client:
        for hand in range(4):
            client.train(zigzag(hand), "ಅ")
            client.train(png(drawing(hand)), "ಆ")
        client.link_variants("ಆ", "ಅ")
    made = {}
    for form, name in (("archive", "taught.zip"), ("jsonl", "taught.jsonl")):
        exported = haleganada("--server", running.address, "export", tmp_path / name, "--format", form)
        assert exported.returncode == 0, exported.stderr
        made[form] = run_json(running, "add", tmp_path / name, "--test", "0", "--name", form)
    archive, lines = made["archive"], made["jsonl"]
    assert [(label["label"], label["train"] + label["validation"]) for label in archive["labels"]] == [
        ("ಅ", 4),
        ("ಆ", 4),
    ]
    assert archive["sha256"] == lines["sha256"] and archive["refused_total"] == lines["refused_total"] == 0
    with (tmp_path / "taught.jsonl").open("a") as file:
        file.write('{"label": "x", "image": "no picture"}\n{"label": "", "ink": {}}\nnothing\n')
    output = run(running, "add", tmp_path / "taught.jsonl", "--name", "damaged", code=1)
    assert all(f"line {number}" in output for number in (9, 10, 11)), output
    (tmp_path / "cut.zip").write_bytes((tmp_path / "taught.zip").read_bytes()[:-4000])
    assert "taught" not in run(running, "add", tmp_path / "cut.zip", code=1)


def test_from_a_folder_to_its_end(running: ServerProcess, letters: Path) -> None:
    made = run_json(running, "add", letters, "--name", "ಅಕ್ಷರ", "--validation", "0.34")
    assert (made["name"], made["train"], made["validation"], made["test"]) == ("ಅಕ್ಷರ", 12, 6, 6)
    assert [label["label"] for label in made["labels"]] == ["a", "b", "c"]
    assert run_json(running, "show", "ಅಕ್ಷರ") == made
    assert made["dataset_id"] in run(running) and made["dataset_id"] in {
        one["dataset_id"] for one in run_json(running, "ls")
    }
    text = run(running, "show", made["dataset_id"])
    assert all(words in text for words in ("training", "imbalance", "█", made["sha256"]))
    assert "none, every label has the same number of training drawings" in text
    assert "nothing was deleted" in run(running, "delete", "ಅಕ್ಷರ", "--confirm", "x", code=2)
    assert "deleted ಅಕ್ಷರ" in run(running, "delete", "ಅಕ್ಷರ", "--confirm", "ಅಕ್ಷರ")
    assert "there is no dataset" in run(running, "show", "ಅಕ್ಷರ", code=4)


def test_what_was_refused_is_listed(running: ServerProcess, letters: Path) -> None:
    (letters / "train/a/bad.png").write_bytes(b"x")
    for drawn in sorted((letters / "train/c").iterdir())[3:]:
        drawn.unlink()
    shutil.copy(letters / "test/b/0.png", letters / "train/b/again.png")
    (letters / "train/999").mkdir()
    (letters / "train/999/1.png").write_bytes(png(drawing("unknown")))
    text = run(running, "add", letters, code=1)
    assert "1 left out because the same image is also in a later part:" in text
    assert "  train/b/again.png: test/b/0.png is kept\n" in text
    assert "1 refused:" in text and "train/a/bad.png" in text
    assert "training 1, validation 0, test 0: drawings of none of the labels" in text
    assert "note: the folder 999 holds drawings of none of the labels" in text
    assert re.search(r"imbalance +the largest label has \S+ times as many training drawings as the smallest", text)


def test_drawings_of_none_of_the_labels_are_kept_where_the_user_says(running: ServerProcess, letters: Path) -> None:
    made = run_json(running, "add", letters, "--unknown", "c")
    assert [label["label"] for label in made["labels"]] == ["a", "b"] and made["test"] == 4
    assert sum(made["unknown"][part] for part in ("train", "validation")) == 6 and made["unknown"]["test"] == 2
    assert "is “nowhere”, but no folder" in run(running, "add", letters, "--unknown", "nowhere", code=1)
    table = "path,label\n" + "".join(f"train/{at}/{i}.png,{at}\n" for at in "abc" for i in range(6))
    (letters.parent / "labels.csv").write_text(table)
    listed = run_json(running, "add", letters, "--labels", letters.parent / "labels.csv", "--unknown", "c")
    assert [label["label"] for label in listed["labels"]] == ["a", "b"] and listed["unknown"]["test"] == 1


def test_a_mapping_says_what_folders_mean(running: ServerProcess, letters: Path, shelf: Path, tmp_path: Path) -> None:
    (letters / "class_mapping.json").write_text(json.dumps({"a": "ಅ", "b": "66"}, ensure_ascii=False), encoding="utf-8")
    shutil.make_archive(str(tmp_path / "mapped"), "zip", tmp_path, "letters")  # with the folder itself
    shutil.copytree(letters, shelf / "letters")
    sent = run_json(running, "add", letters)
    assert [label["label"] for label in sent["labels"]] == ["66", "c", "ಅ"] and sent["refused_total"] == 0
    for made in (run_json(running, "add", tmp_path / "mapped.zip"), run_json(running, "add", "letters", "--on-server")):
        assert made["sha256"] == sent["sha256"]
    (letters / "class_mapping.json").write_text('{"a": "x", "b": "x"}')
    assert "class_mapping.json: “a”, “b” all mean “x”" in run(running, "add", letters, code=1)


def test_links_in_a_folder_are_named(running: ServerProcess, letters: Path) -> None:
    plain = haleganada("--server", running.address, "datasets", "add", letters, "--json")
    assert "skipped" not in plain.stderr
    for i in range(22):
        (letters / f"link {i:02}").symlink_to(letters / "train/a")
    linked = haleganada("--server", running.address, "datasets", "add", letters, "--json")
    assert linked.returncode == 0 and "22 links skipped: link 00, link 01, " in linked.stderr
    assert "link 19 and 2 more; copy the files and folders themselves there" in linked.stderr
    assert json.loads(linked.stdout)["sha256"] == json.loads(plain.stdout)["sha256"]


def test_what_is_there_twice_is_named_and_parts_where_names_do_not_tell_them(
    running: ServerProcess, letters: Path, tmp_path: Path
) -> None:
    for again in range(25):
        shutil.copy(letters / "test/b/0.png", letters / f"test/b/again{again:02}.png")
    text = run(running, "add", letters, "--name", "twice")
    assert (
        "25 left out because the same image is in the part twice:\n  test/b/0.png: test/b/again24.png is kept\n" in text
    )
    assert "and 5 more (--all lists up to a thousand)" in text
    everything = run(running, "show", "twice", "--all")
    assert "  test/b/again23.png: test/b/again24.png is kept" in everything and " more" not in everything
    path = write_npz(
        tmp_path / "s.npz", x=drawings(6)[[0, 0, 1, 2, 3, 0]], y=[0, 0, 1, 0, 1, 0], split=[0, 2, 0, 0, 0, 2]
    )
    text = run(running, "add", path)
    assert "x[0] (train): x[5] (test) is kept" in text and "x[1] (test): x[5] (test) is kept" in text


def test_one_label_for_both_cases_of_a_letter_is_told(running: ServerProcess, tmp_path: Path) -> None:
    files = idx_files(drawings(30), [1, 2, 3] * 10, "emnist-letters-train-")
    path = write_zip(tmp_path / "letters.zip", files | {"emnist-letters-mapping.txt": b"1 65 97\n2 66 98\n3 67 99\n"})
    output = "note: 3 labels stand for several characters (“A” also for “a”, “B” also for “b”, “C” also for “c”)"
    assert output in run(running, "add", path, "--name", "emnist") and output in run(running, "show", "emnist")
    assert run_json(running, "show", "emnist")["notes"][0]["labels"] == ["A", "B", "C"]


def test_what_is_refused_as_a_whole_is_told_of_by_its_name(running: ServerProcess, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "one.zip", folders_of("a", 3))
    assert run(running, "add", path, code=1).startswith(
        "haleganada: one.zip has only drawings of “a”, but at least two"
    )
    (tmp_path / "text").write_text("nothing")
    done = haleganada("--server", running.address, "import", tmp_path / "text")
    assert done.stderr.startswith("haleganada: text is neither an archive")
    bad = write_zip(tmp_path / "bad.zip", {"a/1.png": png(drawing("a")), "a/2.png": b"no picture"})
    done = haleganada("--server", running.address, "-w", "default", "import", bad)
    assert "  a/2.png: is not a PNG, JPEG or WebP image" in done.stdout, done.stderr


def test_from_the_server_s_disk(running: ServerProcess) -> None:
    made = run_json(running, "add", "digits.npz", "--on-server", "--split", "writer", "--seed", "3")
    assert (made["name"], made["writers"], made["labels_total"]) == ("digits", 5, 4)
    assert "is not below" in run(running, "add", "/etc/passwd", "--on-server", code=1)
    assert "--on-server" in run(running, "add", "digits.npz", code=2)


def test_a_preview_says_what_it_needs(running: ServerProcess, letters: Path, tmp_path: Path) -> None:
    made = run_json(running, "add", letters, "--name", "for a preview")
    done = haleganada(
        "--server", running.address, "datasets", "preview", made["dataset_id"], "cnn36", tmp_path / "p.png"
    )
    if done.returncode == 0:  # torch is installed here
        assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    else:
        assert done.returncode == 5 and "pip install -e '.[train]'" in done.stderr


def test_the_sdk(running: ServerProcess, letters: Path, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", folders_of("ab", 5))
    seen: list[tuple[int, int]] = []
    with running.client() as client:
        made = client.datasets.upload(path, name="zipped", on_progress=lambda sent, total: seen.append((sent, total)))
        assert seen[-1] == (path.stat().st_size,) * 2
        assert client.datasets.get("zipped") == made and made.labels[0].label == "a"
        assert client.datasets.list()[0].dataset_id == made.dataset_id
        with pytest.raises(InvalidInput) as caught:
            client.datasets.upload(letters, split="by chance")
        assert caught.value.field == "split"
        with pytest.raises(FailedPrecondition, match="pip install"):
            client.datasets.preview("zipped", "resnet18")
        client.datasets.delete(made.dataset_id)
        with pytest.raises(NotFound):
            client.datasets.get("zipped")


def test_the_sdk_takes_labels_that_stand_elsewhere(running: ServerProcess, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    labels = {}
    for i in range(8):
        (folder / f"{i}.png").write_bytes(png(drawing(i)))
        labels[f"{i}.png"] = "ab"[i % 2]
    del labels["7.png"]
    (tmp_path / "labels.csv").write_text("".join(f"{path},{label}\n" for path, label in labels.items()))
    with running.client() as client:
        client.create_workspace("labeled")
        made = client.datasets.upload(folder, labels=labels)
        assert made.name == "scans" and [label.label for label in made.labels] == ["a", "b"]
        assert made.train + made.validation + made.test == 7
        report = client.import_file(folder, labels=tmp_path / "labels.csv", workspace="labeled")
        assert (report.imported, report.refused_total) == (7, 0)
        refused: list[tuple[Any, str]] = [
            ({"x.png": "a"}, "none of the pictures, such as 0.png"),
            ({"0.png": 1}, "as text"),
            ({}, "no lines"),
        ]
        for wrong, why in refused:
            with pytest.raises(InvalidInput, match=why) as caught:
                client.import_file(folder, labels=wrong, workspace="labeled")
            assert caught.value.field == "labels"
        with pytest.raises(FileNotFoundError):
            client.datasets.upload(folder / "gone", labels=labels)


class BreakingRelay:
    """Passes bytes between a client and a server, and cuts its first connections after so many of them, or holds them
    up there.
    """

    def __init__(self, target: str, cut_after: list[int], hold: bool = False) -> None:
        self._target, self._left, self._hold = target, list(cut_after), hold
        self.cuts = 0
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._relay, args=(self._listener.accept()[0],), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        host, _, port = self._target.rpartition(":")
        limit = self._left.pop(0) if self._left else None
        with client, socket.create_connection((host, int(port))) as upstream:
            threading.Thread(target=_pump, args=(upstream, client, None), daemon=True).start()
            if _pump(client, upstream, limit):
                self.cuts += 1
                if self._hold:
                    self._closed.wait()
                else:
                    _cut(client, upstream)

    def close(self) -> None:
        self._closed.set()
        self._listener.close()


def _pump(source: socket.socket, target: socket.socket, limit: int | None) -> bool:
    """Until the end, or True once `limit` bytes have gone through."""
    passed = 0
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
            passed += len(data)
            if limit is not None and passed > limit:
                return True
    return False


def _cut(*ends: socket.socket) -> None:
    with suppress(OSError):
        for end in ends:
            end.shutdown(socket.SHUT_RDWR)


def write_large_zip(path: Path, size: int) -> Path:
    files = folders_of("ab", 5) | {"a/large.bin": bytes(size)}  # refused, but sent
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def test_an_upload_survives_broken_connections(running: ServerProcess, tmp_path: Path) -> None:
    path = write_large_zip(tmp_path / "large.zip", 3_000_000)
    relay = BreakingRelay(running.address, [1_000_000, 1_000_000])
    sent: list[int] = []
    with HaleganadaClient(relay.address) as client:
        made = client.datasets.upload(path, name="relayed", on_progress=lambda now, _total: sent.append(now))
    relay.close()
    assert (made.labels_total, made.refused_total, relay.cuts) == (2, 1, 2)
    assert sent[-1] == path.stat().st_size


PREPARED = """
import shutil, sys
from haleganada_client.cli.commands.training import dataset_lookup
dataset_lookup.find_spec = lambda name: True
dataset_lookup._gather_drawings = lambda sources, fonts, file: shutil.copy(f"{sources}/large.zip", file)
"""
"""What gathers the starter's drawings takes a minute and the train extra; here they lie ready."""


@pytest.mark.parametrize("command", ["datasets add", "fit --starter"])
def test_ctrl_c_says_how_far_an_upload_came(running: ServerProcess, tmp_path: Path, command: str) -> None:
    path = write_large_zip(tmp_path / "large.zip", 40_000_000)
    relay = BreakingRelay(running.address, [1_000_000], hold=True)
    line = [sys.executable, "-c", AS_AT_A_TERMINAL, "--server", relay.address, "datasets", "add", str(path)]
    if command == "fit --starter":
        line[2:] = [PREPARED + AS_AT_A_TERMINAL, "--server", relay.address, "fit", "cnn36", "--starter"]
        line += ["--sources", str(tmp_path)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: relay.cuts == 1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    relay.close()
    assert process.returncode == 130 and not stdout, (process.returncode, stdout, stderr)
    found = re.search(r"stopped; (\d+\.?\d*) MB of (\d+\.?\d*) MB were sent; repeat the command to continue", stderr)
    assert found and 0 < float(found[1]) < float(found[2]), stderr
