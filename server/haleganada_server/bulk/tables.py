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
    "embed": pa.schema([*_ITEM, ("embedding", pa.list_(pa.float32())), ("embedder", pa.string())]),
}
"""By the name of the kind; docs/bulk.md says what they mean."""


def to_parquet(kind: str, rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a Parquet file. A value that a row lacks is null."""
    buffer = io.BytesIO()
    shown = [{**row, "item": _to_utf8(row["item"])} for row in rows]
    pq.write_table(pa.Table.from_pylist(shown, schema=COLUMNS[kind]), buffer, compression="zstd")
    return buffer.getvalue()


def write_parquet(kind: str, blocks: Iterable[Path], target: Path) -> None:
    """Write the rows of finished blocks as one Parquet file."""
    with pq.ParquetWriter(target, COLUMNS[kind], compression="zstd") as writer:
        for table in _read(blocks):
            writer.write_table(table)


def write_jsonl(kind: str, blocks: Iterable[Path], target: Path) -> None:
    """Write the rows of finished blocks as JSON lines."""
    del kind
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for table in _read(blocks):
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in table.to_pylist())


WRITERS = {".parquet": write_parquet, ".jsonl": write_jsonl}
"""By the ending of the output's name."""


def _read(blocks: Iterable[Path]) -> Iterator[pa.Table]:
    return (pq.read_table(io.BytesIO(path.read_bytes())) for path in blocks)


def _to_utf8(name: str) -> str:
    """Return a file's name with question marks for bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
