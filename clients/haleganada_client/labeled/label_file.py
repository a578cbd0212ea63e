"""A file of labels: the path and the label of each picture, as CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from haleganada_client.wire.arguments import refuse, refuse_type, to_path

Labels = str | os.PathLike[str] | Mapping[str, str]
"""A file of labels, or the label of each picture by its path."""
_PATHS = ("path", "file", "filename", "file_name", "image")
_LABELS = ("label", "character", "char", "class", "text")


class LabelFile:
    """The labels of pictures by their paths, and which of them were asked for."""

    def __init__(self, name: str, labels: dict[str, str]) -> None:
        self.name, self._labels = name, labels
        self._by_name: dict[str, list[str]] = {}
        for path in labels:
            self._by_name.setdefault(path.rpartition("/")[2], []).append(path)
        self._used: set[str] = set()

    def find(self, path: str) -> str | None:
        """Return the label of a picture, by its path below the folder, or by its name if that is unique; None without
        one.
        """
        path = _tidy(path)
        alike = [path] if path in self._labels else self._by_name.get(path.rpartition("/")[2], [])
        if len(alike) != 1:
            return None
        self._used.add(alike[0])
        return self._labels[alike[0]]

    def list_unused(self) -> list[str]:
        """Return the paths for which no label was asked."""
        return [path for path in self._labels if path not in self._used]


def read_labels(labels: Labels) -> LabelFile:
    """Read a CSV file, with or without a header, or JSON lines with `path` and `label`; or take a mapping. Raise
    OSError, InvalidInput.
    """
    if isinstance(labels, Mapping):
        for value in (*labels.keys(), *labels.values()):
            if not isinstance(value, str):
                raise refuse_type("labels", "paths and labels as text (str)", value)
        return LabelFile("labels", _join("labels", labels.items()))
    path = to_path(labels, "labels", "a path, or a mapping of paths to labels")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refuse("labels", f"{path} is not UTF-8; save it as UTF-8") from None
    return LabelFile(
        path.name, _join(str(path), _parse_json(text) if text.lstrip().startswith("{") else _parse_csv(text))
    )


def _join(name: str, rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    labels: dict[str, str] = {}
    try:
        for number, (path, label) in enumerate(rows, start=1):
            if labels.setdefault(_tidy(path), label) != label:
                raise ValueError(f"line {number} gives {path} a second label")
    except (ValueError, RecursionError, csv.Error) as error:
        raise refuse("labels", f"{name}: {error}; write a path and a label in each line") from None
    if not labels:
        raise refuse("labels", f"{name} has no lines; write a path and a label in each")
    return labels


def _parse_json(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _take(json.loads(line), number)


def _take(fields: Any, number: int) -> tuple[str, str]:
    if not isinstance(fields, dict):
        raise ValueError(f"line {number} is not a JSON object")
    found = [next((fields[name] for name in names if name in fields), None) for names in (_PATHS, _LABELS)]
    if not all(isinstance(value, str) and value for value in found):
        raise ValueError(f"line {number} lacks a path or a label as text")
    return str(found[0]), str(found[1])


def _parse_csv(text: str) -> Iterator[tuple[str, str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    columns = [next((header.index(name) for name in names if name in header), None) for names in (_PATHS, _LABELS)]
    path, label = (0, 1) if None in columns else columns
    for number, row in enumerate(rows if None in columns else rows[1:], start=1 if None in columns else 2):
        if len(row) <= max(path or 0, label or 0):
            raise ValueError(f"line {number} lacks a path or a label")
        yield row[path or 0], row[label or 0]


def _tidy(path: str) -> str:
    """Return a path in the one spelling by which it is found."""
    parts = unicodedata.normalize("NFC", path).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))
