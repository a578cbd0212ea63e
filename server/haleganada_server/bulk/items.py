"""What a bulk run works on: pictures or documents, in folders and in zip files, each listed once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from glob import glob
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput

_ZIP = ".zip"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of which the output has one row.

    name: what the output calls it, as it was given. path: its file, absolute. member: its name in that zip file, "" if
    it is the file itself. page: of a document, from 1; 0 for a picture. problem: why it cannot be used, if its list
    told already. label: what it shows, of a picture that is to be taught.
    """

    name: str
    path: str
    member: str = ""
    page: int = 0
    problem: str = ""
    label: str = ""

    def to_json(self) -> str:
        """Return a line of ASCII, also for names that are not UTF-8."""
        return json.dumps(astuple(self))

    @classmethod
    def from_json(cls, line: str) -> Item:
        """Raises ValueError or TypeError for what to_json does not write."""
        return cls(*json.loads(line))


class ItemList:
    """Finds the items that names, patterns, folders and zip files stand for. suffixes: of the files that count."""

    def __init__(self, suffixes: Collection[str]) -> None:
        self._suffixes = frozenset(suffixes)
        self._found: dict[tuple[str, str], Item] = {}
        self.others = 0
        """Files in folders and zip files that were passed over, because they are of another kind."""

    @property
    def items(self) -> list[Item]:
        """All items so far, in the order of the names, and sorted within a folder."""
        return list(self._found.values())

    def add(self, name: str) -> None:
        """Add a file, a folder, a zip file, or all that match a pattern. A name that matches nothing becomes an item
        that cannot be read.
        """
        for path in _find_matches(name) or [Path(name)]:
            if path.is_dir():
                self._add_folder(path)
            else:
                self._add_file(path)

    def _add_folder(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if zip_files.is_hidden(path.relative_to(folder).as_posix()) or not path.is_file():
                continue
            if path.suffix.lower() in {*self._suffixes, _ZIP}:
                self._add_file(path)
            else:
                self.others += 1

    def _add_file(self, path: Path) -> None:
        if path.suffix.lower() != _ZIP or not path.is_file():
            self._add(Item(str(path), str(path.absolute())))
            return
        try:
            with zip_files.open_zip(path) as zipped:
                members = list(zip_files.list_members(zipped))
        except InvalidInput as error:
            self._add(Item(str(path), str(path.absolute()), problem=error.message))
            return
        for member in members:
            if Path(member).suffix.lower() in self._suffixes:
                self._add(Item(f"{path}/{member}", str(path.absolute()), member))
            else:
                self.others += 1

    def _add(self, item: Item) -> None:
        self._found.setdefault((item.path, item.member), item)


class ItemFiles:
    """Reads items. Keeps the zip file open that was read last. Not safe from several threads."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._path = ""
        self._zip: ZipFile | None = None
        self._members: dict[str, ZipInfo] = {}

    def read(self, item: Item, limit: int) -> bytes:
        """Return an item's bytes, at most `limit`. Raises InvalidInput."""
        if item.problem:
            raise InvalidInput("file", item.problem.removeprefix("file: "))
        try:
            return self._read_member(item, limit) if item.member else _read_file(Path(item.path), limit)
        except OSError as error:
            raise InvalidInput("file", f"cannot be read: {error.strerror or error}") from error

    def close(self) -> None:
        """Close what is open."""
        self._open.close()
        self._path = ""

    def _read_member(self, item: Item, limit: int) -> bytes:
        if item.path != self._path:
            self.close()
            self._zip = self._open.enter_context(zip_files.open_zip(Path(item.path)))
            self._members = zip_files.list_members(self._zip)
            self._path = item.path
        assert self._zip is not None
        info = self._members.get(item.member)
        return zip_files.read_member(self._zip, info if info is not None else item.member, limit)


def split_into_blocks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield consecutive items, `size` of them at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _read_file(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InvalidInput("file", f"has over {limit:,} bytes; make it smaller")
    return data


def _find_matches(name: str) -> list[Path]:
    path = Path(name)
    return [path] if path.exists() else sorted(map(Path, glob(name, recursive=True)))  # noqa: PTH207  # no hidden ones
