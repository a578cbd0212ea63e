"""A folder or zip of pictures, packed again with each picture in a folder that is named after its label."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from haleganada_client.wire.arguments import refuse, to_path
from haleganada_client.wire.packing import is_hidden

from .image_files import IMAGE_SUFFIXES, iter_images
from .label_file import LabelFile, Labels, read_labels

_NO_DATE = (1980, 1, 1, 0, 0, 0)
_UTF8_NAME = 0x800
_POINTS_IN_NAME = 32  # names of files have at most 255 bytes


@contextmanager
def pack_with_labels(source: Path, labels: LabelFile) -> Iterator[tuple[Path, list[str]]]:
    """Yield the path of a temporary zip of the pictures that the file of labels names, and the paths of those that it
    does not name. Folders above a picture stay, since they may tell its part and its writer. Raise OSError, and
    InvalidInput for what is neither a folder nor a zip.
    """
    if not source.is_dir() and not zipfile.is_zipfile(source):
        raise refuse("labels", "labels need a folder or a .zip of pictures; give one of these")
    with tempfile.TemporaryDirectory(prefix="haleganada-") as folder:
        target = Path(folder) / (source.name if source.suffix.lower() == ".zip" else f"{source.resolve().name}.zip")
        missing = []
        with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as file:
            for name, read in _iter_pictures(source):
                label = labels.find(name)
                if label is None:
                    missing.append(name)
                    continue
                info = zipfile.ZipInfo(_insert_label(name, label), _NO_DATE)
                file.writestr(info, read())
        yield target, missing


@contextmanager
def open_labeled(source: object, labels: Labels) -> Iterator[Path]:
    """Yield a zip as pack_with_labels does. Raise OSError; WrongType for what is no path; InvalidInput for labels that
    cannot be used, and if no picture is named.
    """
    path = to_path(source, "source", "a path, where there are labels")
    path.stat()  # which says why it cannot be read
    with pack_with_labels(path, read_labels(labels)) as (packed, missing):
        with zipfile.ZipFile(packed) as file:
            if missing and not file.namelist():
                problem = f"name none of the pictures, such as {missing[0]}"
                raise refuse("labels", f"{problem}; write paths as they are below {path.name}")
        yield packed


def _iter_pictures(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the name of each picture, and what reads it."""
    if source.is_dir():
        for path in iter_images(source):
            if not path.is_symlink():
                yield path.relative_to(source).as_posix(), path.read_bytes
        return
    try:
        with zipfile.ZipFile(source) as file:
            for info in file.infolist():
                name = _decode_name(info)
                if name.lower().endswith(IMAGE_SUFFIXES) and not any(map(is_hidden, name.split("/"))):
                    yield name, lambda info=info: file.read(info)  # type: ignore[misc]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise refuse("labels", f"{source} cannot be unpacked: {error}; make it again, without a password") from None


def _decode_name(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        problem = f"the zip has names that are not UTF-8, such as {info.filename!a}"
        raise refuse("labels", f"{problem}; make it with UTF-8 names, or give the folder") from None


def name_folder(label: str) -> str:
    """Return the name of the folder that a label's pictures are packed into, by its code points."""
    return "U+" + "_".join(f"{ord(char):04X}" for char in label)


def _insert_label(name: str, label: str) -> str:
    """Return the picture's path within a folder of its label: a/1.png becomes a/U+0C85/1.png."""
    above, slash, own = name.rpartition("/")
    points = name_folder(label).split("_")
    parts = ["_".join(points[i : i + _POINTS_IN_NAME]) for i in range(0, len(points), _POINTS_IN_NAME)]
    return f"{above}{slash}{'_/'.join(parts)}/{own}"
