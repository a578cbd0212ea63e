"""class_mapping.json beside folders of images, in a zip and on disk: its effect, and when it is refused."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.errors import InvalidInput
from haleganada_server.store.datasets.folders import DatasetFolders

from tests.support.datasets import drawing, folders_of, png, write_zip
from tests.unit.server.store.datasets.sources.reading import read_all, read_refused

IMAGE = png(drawing(0))
MAPPING = "class_mapping.json"


def write_files(root: Path, files: dict[str, bytes], as_zip: bool) -> Path:
    if as_zip:
        return write_zip(root / "set.zip", files)
    for name, content in files.items():
        (root / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "set" / name).write_bytes(content)
    return root / "set"


def of(mapping: object) -> bytes:
    return mapping if isinstance(mapping, bytes) else json.dumps(mapping, ensure_ascii=False).encode()


def read_labels(path: Path) -> dict[str, str]:
    """Return image name -> label."""
    return {item.item: item.label for item in read_all(path)}


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("above", ["", "letters/"])
def test_it_overrides_the_names_that_it_lists(tmp_path: Path, as_zip: bool, above: str) -> None:
    mapping = {"class_1": "ಅ", "65": "65", "999": "ϧ", "U+0C95_0CCD_0CB7": " ಕ್ಷ ", "not there": "x"}
    names = {
        "train/class_1/1.png": "ಅ",
        "test/w3/class_1/1.png": "ಅ",
        "train/65/1.png": "65",
        "train/999/1.png": "ϧ",
        "train/U+0C95_0CCD_/0CB7/1.png": "ಕ್ಷ",  # nested folders of an export are one name
        "train/66/1.png": "B",  # other folders are not affected
        "train/U+0C86/1.png": "ಆ",
        "train/ಇ/1.png": "ಇ",
    }
    files = {f"{above}{name}": IMAGE for name in names} | {f"{above}{MAPPING}": of(mapping)}
    assert read_labels(write_files(tmp_path, files, as_zip)) == {
        f"{above}{name}": label for name, label in names.items()
    }


def test_composed_and_decomposed_names_are_equal(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "ಕೀ") for form in ("NFC", "NFD"))
    for i, (folder, key) in enumerate([(composed, decomposed), (decomposed, composed)]):
        path = write_zip(tmp_path / f"{i}.zip", {f"{folder}/1.png": IMAGE, MAPPING: of({key: decomposed})})
        assert read_labels(path) == {f"{folder}/1.png": composed}


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + of({"a": "ಅ"}), '{"a": "ಅ"}'.encode("utf-16")])
def test_bytes_added_by_editors_do_not_matter(tmp_path: Path, text: bytes) -> None:
    assert read_labels(write_zip(tmp_path / "set.zip", {"a/1.png": IMAGE, MAPPING: text})) == {"a/1.png": "ಅ"}


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        (b"class_1: x", "is not a JSON object"),
        (b"\xff\xfe\xfa", "is not a JSON object"),
        (b"[" * 100_000, "is not a JSON object"),
        (["a", "b"], "is not a JSON object"),
        (b'{"a": "x", "a": "y"}', "each folder once"),
        ({"ಕೀ": "x", unicodedata.normalize("NFD", "ಕೀ"): "y"}, "each folder once"),
        ({"a": 0}, "“a” is not text"),
        ({"a": None}, "“a” is not text"),
        ({"a": {"label": "x"}}, "“a” is not text"),
        ({"a": ""}, "“a” is empty"),
        ({"a": "x" * 65}, "“a” has 65 code points"),
        ({"a": "x\n\ny"}, "“a” contains U[+]000A"),
        (b'{"a": "\\ud800"}', "“a” contains U[+]D800"),
        ({"a": "ಕೀ", "b": unicodedata.normalize("NFD", "ಕೀ")}, "one label in its class_mapping.json: “a”, “b” all mean"),
        ({"ಅ": "a", "ಆ": "b"}, 'names none of its folders; write it as {"folder": "label"}'),
        (b" " * (4 << 20) + b"{}", "has over"),
    ],
)
def test_an_invalid_mapping_is_refused(tmp_path: Path, mapping: object, why: str) -> None:
    path = write_zip(tmp_path / "set.zip", {"a/1.png": IMAGE, "b/1.png": IMAGE, MAPPING: of(mapping)})
    with pytest.raises(InvalidInput, match=why) as caught:
        read_all(path)
    assert caught.value.field == "file" and MAPPING in caught.value.description
    caught.value.description.encode()  # it can be sent as UTF-8


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["train/class_mapping.json"], "train/class_mapping.json, which is not above all its images"),
        (["class_mapping.json", "train/class_mapping.json"], "several mappings"),
    ],
)
def test_it_must_be_above_all_images(tmp_path: Path, names: list[str], why: str) -> None:
    files = {"train/a/1.png": IMAGE, "test/a/2.png": IMAGE} | dict.fromkeys(names, of({"a": "ಅ"}))
    with pytest.raises(InvalidInput, match=why):
        read_all(write_zip(tmp_path / "set.zip", files))


def test_other_json_files_are_not_mappings(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"a/1.png": IMAGE, "mapping.json": of({"a": "ಅ"})})
    assert set(read_refused(path)) == {"mapping.json"}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_bytes(of({"a": "secret"}))
    path = write_files(tmp_path, {"a/1.png": IMAGE}, as_zip=False)
    (path / MAPPING).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(
        InvalidInput, match=r"class_mapping\.json that is not a file, or is a link that leads out of the folder"
    ):
        read_all(path)


def test_a_mapped_label_that_another_folder_name_means_is_refused(tmp_path: Path) -> None:
    files = folders_of(("class_1", "ಅ", "ಆ")) | {MAPPING: of({"class_1": "ಅ"})}
    (tmp_path / "tmp").mkdir()
    datasets = Datasets(DatasetFolders(tmp_path / "datasets", lambda: tmp_path / "tmp" / "x"), lambda _: False)
    path = write_zip(tmp_path / "set.zip", files)
    with pytest.raises(InvalidInput, match=r"“class_1” .*, “ಅ” .* all mean “ಅ”"):
        datasets.add(path, path.name, DatasetOptions("letters"))
