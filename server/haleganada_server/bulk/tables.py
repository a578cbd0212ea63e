"""The columns of each kind of bulk work, blocks of rows in Parquet, and the output that they become."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ITEM = [("item", pa.string()), ("error", pa.string()), ("reason", pa.string())]
_ANSWER = [
    ("label", pa.string()),
    ("canonical", pa.string()),
    ("probability", pa.float64()),
    ("canonical_probability", pa.float64()),
]
COLUMNS = {
    "predict": pa.schema(
        [
            *_ITEM,
            *_ANSWER,
            ("unknown_probability", pa.float64()),
            ("decision", pa.string()),
            ("candidates", pa.list_(pa.struct(_ANSWER))),
            ("model", pa.string()),
            ("revision", pa.int64()),
        ]
    ),
    "read": pa.schema(
        [
            ("item", pa.string()),
            ("page", pa.int32()),
            *_ITEM[1:],
            ("text", pa.string()),
            ("lines", pa.int32()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("reading", pa.string()),
        ]
    ),
    "teach": pa.schema([_ITEM[0], ("label", pa.string()), *_ITEM[1:]]),
    "embed": pa.schema([*_ITEM, ("embedding", pa.list_(pa.float32())), ("embedder", pa.string())]),
}
"""By the name of the kind; docs/using/bulk.md says what they mean."""

_EMBEDDING = ("embedding", pa.list_(pa.float32()))
_WITHIN = {"teach": [("key", pa.string()), ("kind", pa.string()), ("glyph", pa.binary()), _EMBEDDING]}
"""Columns that blocks have besides those, and the output has not."""


def to_parquet(kind: str, rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a Parquet file. A value that a row lacks is null."""
    buffer = io.BytesIO()
    schema = pa.schema([*COLUMNS[kind], *(pa.field(*column) for column in _WITHIN.get(kind, ()))])
    shown = [{**row, "item": _to_utf8(row["item"])} for row in rows]
    pq.write_table(pa.Table.from_pylist(shown, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def write_parquet(kind: str, blocks: Iterable[Path], target: Path) -> None:
    """Write the rows of finished blocks as one Parquet file."""
    with pq.ParquetWriter(target, COLUMNS[kind], compression="zstd") as writer:
        for table in _read(kind, blocks):
            writer.write_table(table)


def write_jsonl(kind: str, blocks: Iterable[Path], target: Path) -> None:
    """Write the rows of finished blocks as JSON lines."""
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for table in _read(kind, blocks):
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in table.to_pylist())


WRITERS = {".parquet": write_parquet, ".jsonl": write_jsonl}
"""By the ending of the output's name."""


def read_rows(blocks: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the rows of finished blocks, with all that the output has not."""
    for path in blocks:
        yield from pq.read_table(io.BytesIO(path.read_bytes())).to_pylist()


def _read(kind: str, blocks: Iterable[Path]) -> Iterator[pa.Table]:
    """Yield the rows of finished blocks with the columns of the output."""
    names = COLUMNS[kind].names
    return (pq.read_table(io.BytesIO(path.read_bytes()), columns=names).select(names) for path in blocks)


def _to_utf8(name: str) -> str:
    """Return a file's name with question marks for bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
