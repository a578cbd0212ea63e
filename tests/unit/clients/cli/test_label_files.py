"""Files of labels: CSV and JSON lines of any program, and pictures packed under the labels that they give."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import click
import pytest
from haleganada_client.cli.files.given_labels import pack_with_labels, read_label_file

ROWS = [("img/1.png", "ಅ"), ("img/2.png", "ಕ್, old"), ("img/ä 3.png", "10")]
JSON = "\n".join(json.dumps({"path": path, "label": label}, ensure_ascii=False) for path, label in ROWS)
FILES = {
    "plain": 'img/1.png,ಅ\nimg/2.png,"ಕ್, old"\nimg/ä 3.png,10\n',
    "header": 'label;n;filename\nಅ;1;img/1.png\n"ಕ್, old";2;img/2.png\n10;3;img/ä 3.png\n',
    "tabs and backslashes": "path\tlabel\r\nimg\\1.png\tಅ\r\n.\\img\\2.png\tಕ್, old\r\nimg\\a\u0308 3.png\t10\r\n",
    "JSON lines": JSON,
    "other words": JSON.replace('"path"', '"image"').replace('"label"', '"class"') + "\n\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_files_of_many_programs(tmp_path: Path, text: str, mark: str) -> None:
    (tmp_path / "labels").write_text(mark + text, encoding="utf-8")
    labels = read_label_file(tmp_path / "labels")
    assert [labels.find(path) for path, _ in ROWS] == [label for _, label in ROWS]
    assert labels.find("elsewhere/1.png") == "ಅ"  # the only one of that name
    assert labels.find("img/4.png") is None


BAD = {
    "another encoding": ("img/1.png,é\n".encode("latin-1"), "not UTF-8"),
    "no label": (b"img/1.png\n", "line 1 lacks"),
    "two labels": (b"1.png,a\n./1.png,b\n", "second label"),
    "no text": (b'{"path": "1.png", "label": 1}', "line 1 lacks"),
    "nothing": (b"", "has no lines"),
}


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD.keys())
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "labels").write_bytes(content)
    with pytest.raises(click.UsageError, match=why):
        read_label_file(tmp_path / "labels")


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "folder"])
def test_pictures_are_packed_under_their_labels(
    tmp_path: Path, as_zip: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.csv").write_text("train/w1/1.png,ಅ\ntrain/w1/2.png,10\ngone.png,a\n", encoding="utf-8")
    files = {"train/w1/1.png": b"1", "train/w1/2.png": b"2", "train/w1/3.png": b"3", "train/Thumbs.db": b"x"}
    source = tmp_path / "set.zip"
    if as_zip:
        with zipfile.ZipFile(source, "w") as file:
            for name, content in files.items():
                file.writestr(name, content)
    else:
        for name, content in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
    with pack_with_labels(source, read_label_file(tmp_path / "labels.csv")) as packed, zipfile.ZipFile(packed) as file:
        found = {name: file.read(name) for name in file.namelist()}
        assert packed.name == "set.zip"
    assert found == {"train/w1/U+0C85/1.png": b"1", "train/w1/U+0031_0030/2.png": b"2"}
    said = capsys.readouterr().err
    assert "train/w1/3.png" in said and "gone.png" in said


def test_labels_are_for_pictures(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("1.png,a\n")
    (tmp_path / "set.npz").write_bytes(b"no zip")
    labels = read_label_file(tmp_path / "labels.csv")
    with pytest.raises(click.UsageError, match=r"a folder or a \.zip"), pack_with_labels(tmp_path / "set.npz", labels):
        pass
