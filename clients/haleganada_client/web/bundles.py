"""One script and one style sheet for each page, made from its files when they are asked for.

A page's modules import each other four levels deep; over a slow line each level would be a round trip, and each module
a request. The files in static/ stay what is written, read and changed: nothing has to be built, and a changed file is
in the next page. Comments and indentation, two fifths of what would be sent, stay behind. A script's address names its
content, so a browser asks for it once.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PAGE_STYLES = {
    "draw": ("theme", "base", "layout", "slate", "answer", "pictures", "practice", "panels", "toast"),
    "models": ("theme", "base", "layout", "slate", "answer", "panels", "toast", "models", "tables", "forms", "reports"),
    "login": ("theme", "base", "layout", "panels", "toast", "forms"),
    "read": ("theme", "base", "layout", "slate", "answer", "panels", "toast", "models", "forms", "reading", "taught"),
}
"""The style sheets of each page, in their order. The script of a page is static/<page>_page.js."""

_IMPORT = re.compile(r'^import (?:(\{[^}]*\}|\* as \w+) from )?"(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LINE_COMMENT = re.compile(r"^[ \t]*//.*$|[ \t]+// [^\"'`\n]*$", re.MULTILINE)  # with a quote it may be part of a text
_TYPE_COMMENT = re.compile(r"/\*\*.*?\*/ ?", re.DOTALL)  # one star may be part of a text: image/*
_BLANK = re.compile(r"^\s+", re.MULTILINE)


@dataclass(frozen=True)
class Bundle:
    """What a browser loads as one file. name: as in draw.<hash>.js."""

    name: str
    text: bytes

    @cached_property
    def compressed(self) -> bytes:
        """The same, with gzip."""
        return gzip.compress(self.text, mtime=0)


class Bundler:
    """Makes the bundles of the pages, anew when one of their files has changed."""

    def __init__(self) -> None:
        self._made: dict[tuple[Path, str, str], tuple[dict[Path, int], Bundle]] = {}

    def get(self, static: Path, page: str, kind: str) -> Bundle:
        """Return a bundle. static: the folder of the files. page: a key of PAGE_STYLES. kind: js or css.

        Raises ValueError if a module is written in a way that cannot be bundled.
        """
        key = (static, page, kind)
        times, bundle = self._made.get(key, ({}, None))
        if bundle is None or any(_get_time(path) != time for path, time in times.items()):
            files = _read_modules(static, page) if kind == "js" else _read_styles(static, page)
            text = "".join(files.values()).encode()
            bundle = Bundle(f"{page}.{hashlib.sha256(text).hexdigest()[:16]}.{kind}", text)
            self._made[key] = {path: _get_time(path) for path in files}, bundle
        return bundle


def _get_time(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _read_styles(static: Path, page: str) -> dict[Path, str]:
    paths = [static / "styles" / f"{name}.css" for name in PAGE_STYLES[page]]
    return {path: _BLANK.sub("", _BLOCK_COMMENT.sub("", path.read_text(encoding="utf-8"))) for path in paths}


def _read_modules(static: Path, page: str) -> dict[Path, str]:
    """Return a page's modules as parts of one script, each after those that it imports."""
    found = _Modules(static)
    found.add(f"{page}_page.js", ())
    return found.parts


@dataclass
class _Modules:
    """static: the folder of the modules. parts: of the script, by file. names: of what modules export, by address."""

    static: Path
    parts: dict[Path, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, address: str, importers: tuple[str, ...]) -> None:
        """Add a module after those that it imports. importers: those that wait for it."""
        if address in importers:
            raise ValueError(f"{address} imports itself, by way of {', '.join(importers)}")
        path = self.static / address
        text = path.read_text(encoding="utf-8")
        for _, imported in _IMPORT.findall(text):
            if (other := _resolve(address, imported)) not in self.names:
                self.add(other, (*importers, address))
        self.names[address] = name = f"module{len(self.names)}"
        self.parts[path] = self._wrap(address, name, text)

    def _wrap(self, address: str, name: str, text: str) -> str:
        """Make a module a function that returns its exports: two modules may use one name for two things."""
        text = _shorten(address, text)
        exported = ", ".join(_EXPORT.findall(text))
        inner = _EXPORT.sub("", _IMPORT.sub(lambda found: self._make_import(address, *found.groups()), text))
        if left := _LEFT.search(inner):
            raise ValueError(f"{address}: “{left[0]}” cannot be bundled; import and export names in the plain way")
        return f"// {address}\nconst {name} = await (async () => {{\n{inner}return {{ {exported} }};\n}})();\n"

    def _make_import(self, importer: str, names: str | None, imported: str) -> str:
        if names is None:
            return ""
        pattern = names.removeprefix("* as ").replace(" as ", ": ")
        return f"const {pattern} = {self.names[_resolve(importer, imported)]};\n"


def _shorten(address: str, text: str) -> str:
    """Return a module without comments and indentation. Raise ValueError for a text of several lines, which may hold
    what looks like them.
    """
    without = _LINE_COMMENT.sub("", _TYPE_COMMENT.sub("", text))
    if broken := next((line for line in without.splitlines() if line.count("`") % 2), None):
        raise ValueError(f"{address}: “{broken.strip()}” cannot be bundled; begin and end a text in one line")
    return _BLANK.sub("", without)


def _resolve(importer: str, imported: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), imported))
