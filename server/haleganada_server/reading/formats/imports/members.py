"""The files of a zip of words, found by what they are named wherever they are."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from haleganada_server.core.disk.zip_files import decode_name, is_hidden, read_member
from haleganada_server.core.errors import Precondition
from haleganada_server.reading.documents import open_document

from ..cutting import Picture
from ..words import SEQUENCE, WORDS
from .faults import unusable
from .word_list import ListedWord, parse_words, split_id

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
_PAGE_FOLDERS = ("page", "pages", "forms")
_MAX_LIST = 64 * 2**20  # bytes of words.txt
_MAX_PICTURE = 512 * 2**20  # bytes


class Members:
    """The files of a zip: words.txt, and pictures by the names of words and forms. scratch: a path for one of them."""

    def __init__(self, file: zipfile.ZipFile, scratch: Path) -> None:
        self._file = file
        self._scratch = scratch
        self._pictures: dict[str, zipfile.ZipInfo] = {}
        self._lists: dict[str, zipfile.ZipInfo] = {}
        self._loose: list[str] = []
        for info in file.infolist():
            path = PurePosixPath(_check_name(decode_name(info)))
            if info.is_dir() or is_hidden(str(path)):
                continue
            if path.suffix.lower() in _PICTURES:
                self._pictures.setdefault(path.stem, info)
                self._loose += [path.stem] if path.parent.name not in _PAGE_FOLDERS else []
            elif path.name in (WORDS, SEQUENCE):
                self._lists.setdefault(path.name, info)

    def __contains__(self, name: str) -> bool:
        return name in self._pictures

    def list_words(self) -> list[ListedWord]:
        """Return all words in reading order."""
        order = self._read_sequence()
        if WORDS in self._lists:
            words = list(parse_words(read_member(self._file, self._lists[WORDS].filename, _MAX_LIST)))
            places = {name: place for place, name in enumerate(order)}
            words.sort(key=lambda word: places.get(word.word_id, len(places)))  # the others stay in their order
        else:
            words = [ListedWord(name, *split_id(name)) for name in order or sorted(set(self._loose))]
        if not words:
            raise unusable(f"has neither {WORDS} with words in it nor pictures of words; create it again")
        return words

    @contextmanager
    def open_picture(self, name: str) -> Iterator[tuple[Path, Picture]]:
        """Decode a picture, which is also a file meanwhile. Raises Precondition and Exhausted."""
        info = self._pictures[name]
        try:
            self._scratch.write_bytes(read_member(self._file, info.filename, _MAX_PICTURE))
            with closing(open_document(self._scratch)) as document:
                yield self._scratch, document.draw(1)
        except Precondition as error:
            raise unusable(f"has a picture {name} that cannot be used: {error.message}") from error

    def _read_sequence(self) -> list[str]:
        """Return the names of words' pictures in their order; empty if nothing tells it."""
        if SEQUENCE not in self._lists:
            return []
        data = read_member(self._file, self._lists[SEQUENCE].filename, _MAX_LIST)
        lines = data.decode("utf-8-sig", errors="replace").split("\n")
        names = [PurePosixPath(line.strip().replace("\\", "/")).name for line in lines if line.strip()]
        names = [PurePosixPath(name).stem if name.lower().endswith(_PICTURES) else name for name in names]
        return [name for name in dict.fromkeys(names) if name in self._pictures]


def _check_name(name: str) -> str:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.split("/")[0]:
        raise unusable(f"has a file “{name}” that leads out of it; create it again with relative names")
    return name
