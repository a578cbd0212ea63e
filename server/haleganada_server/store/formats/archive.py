"""The archive: everything that is taught, with its past and its embeddings, so that another server predicts
identically.

A zip with manifest.json (format, revision, counts, SHA-256 of the other two), samples.jsonl (one sample a line, the
drawing as stored, in base64), and embeddings.f32 (n x d little-endian float32 in the same order).
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import DataLoss, InvalidInput
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.sample_log.rows import SampleRow
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem
from haleganada_server.store.sample_log.reader import LogReader

from . import drawings, items, zip_files

MANIFEST = "manifest.json"
_SAMPLES, _VECTORS = "samples.jsonl", "embeddings.f32"
MEMBERS = frozenset((MANIFEST, _SAMPLES))
"""By which an archive is told from a zip that may have anything in it."""
_FORMAT = 1
_MAX_MANIFEST = 16 * 2**20
_MAX_DIM = 65536
_CHUNK = 2**20


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write the archive."""
    del rasterizer  # drawings go as they are stored
    links, dim = log.links(), log.embedding_length()
    with zipfile.ZipFile(path, "w") as file:
        with _hashed(file, _SAMPLES) as (add, samples_sha256):
            for sample in log.every_sample():
                add(json.dumps(_described(_fitting(sample, dim), links), ensure_ascii=False).encode() + b"\n")
        with _hashed(file, _VECTORS, zipfile.ZIP_STORED) as (add, vectors_sha256):
            for sample in log.every_sample():
                add(_fitting(sample, dim).embedding.tobytes())
        manifest = {
            "format": _FORMAT, "samples": log.count(), "dim": dim, "revision": log.revision(), "links": links,
            "sha256": {_SAMPLES: samples_sha256(), _VECTORS: vectors_sha256()},
        }  # fmt: skip
        file.writestr(zip_files.described(MANIFEST), json.dumps(manifest, ensure_ascii=False, indent=1))


def read(path: Path, rasterizer: Rasterizer) -> Iterator[ImportItem | RefusedItem]:
    """The samples of an archive. Raises InvalidInput, before the first one, if the archive is damaged or newer than
    this server.
    """
    with zip_files.opened(path) as file:
        manifest = _manifest(file)
        for name in (_SAMPLES, _VECTORS):
            if _sha256(file, name) != manifest["sha256"].get(name):
                raise InvalidInput("file", f"is damaged: {name} is not what was exported; export it again")
        with file.open(_SAMPLES) as samples, file.open(_VECTORS) as vectors:
            for number, line in enumerate(items.lines(samples), start=1):
                vector = np.frombuffer(vectors.read(4 * manifest["dim"]), dtype="<f4")
                yield _item(f"line {number}", line, vector, rasterizer)


def _manifest(file: zipfile.ZipFile) -> dict[str, Any]:
    manifest = items.json_object(zip_files.content(file, MANIFEST, _MAX_MANIFEST))
    numbers = [manifest.get(name) for name in ("format", "samples", "dim")]
    if not all(isinstance(number, int) for number in numbers) or not isinstance(manifest.get("sha256"), dict):
        raise InvalidInput("file", "has no valid manifest; export it again")
    if manifest["format"] > _FORMAT:
        raise InvalidInput("file", "was exported by a newer version; update this server")
    if not 0 <= manifest["dim"] <= _MAX_DIM or _size(file, _VECTORS) != 4 * manifest["dim"] * manifest["samples"]:
        raise InvalidInput("file", "has another number of embeddings than its manifest says; export it again")
    return manifest


def _size(file: zipfile.ZipFile, name: str) -> int:
    try:
        return file.getinfo(name).file_size
    except KeyError:
        raise InvalidInput("file", f"lacks {name}; export it again") from None


def _sha256(file: zipfile.ZipFile, name: str) -> str:
    _size(file, name)
    digest = hashlib.sha256()
    with file.open(name) as member:
        while chunk := member.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _hashed(
    file: zipfile.ZipFile, name: str, compression: int = zipfile.ZIP_DEFLATED
) -> Iterator[tuple[Callable[[bytes], None], Callable[[], str]]]:
    """A member to write bit by bit: a function that adds bytes, and one that gives the SHA-256 of all of them."""
    digest = hashlib.sha256()
    member: IO[bytes]
    with file.open(zip_files.described(name, compression), "w", force_zip64=True) as member:

        def add(data: bytes) -> None:
            member.write(data)
            digest.update(data)

        yield add, digest.hexdigest


def _fitting(sample: SampleRow, dim: int) -> SampleRow:
    """The sample, without its embedding if weights of another dimension made it: an import embeds it anew."""
    if len(sample.embedding) == dim:
        return sample
    return replace(sample, embedding=np.zeros(dim, dtype="<f4"), embedder_hash="")


def _described(sample: SampleRow, links: dict[str, str]) -> dict[str, Any]:
    return {
        "sample_id": sample.sample_id, "label": sample.label, "canonical": links.get(sample.label, ""),
        "glyph_kind": sample.glyph_kind, "glyph": base64.b64encode(sample.glyph).decode(), "loss": sample.loss,
        "predicted": sample.predicted, "new_label": sample.new_label, "correction": sample.correction,
        "time_us": sample.time_us, "embedder_hash": sample.embedder_hash,
    }  # fmt: skip


def _item(name: str, line: bytes, vector: NDArray[np.float32], rasterizer: Rasterizer) -> ImportItem | RefusedItem:
    try:
        facts = items.json_object(line)
        kind, drawing = items.text(facts, "glyph_kind"), items.from_base64(facts, "glyph")
        drawings.raster(kind, drawing, rasterizer)  # it will be stored as it is, so it must be one that can be shown
        if not np.isfinite(vector).all():
            raise InvalidInput("embedding", "is not a vector of numbers")
        label, time_us = items.text(facts, "label"), items.time_us(facts)
        return ImportItem(
            name, label, items.text(facts, "canonical"),
            Glyph(ink=drawings.strokes(drawing)) if kind == "ink" else Glyph(image=drawing),
            items.key(label, drawing, time_us), (kind, drawing), vector, items.text(facts, "embedder_hash"), time_us,
            items.loss(facts), _predicted(facts), bool(facts.get("new_label")), bool(facts.get("correction")),
        )  # fmt: skip
    except InvalidInput as error:
        return RefusedItem(name, error)
    except DataLoss as error:
        return RefusedItem(name, InvalidInput("glyph", error.message))


def _predicted(facts: dict[str, Any]) -> str:
    """A label, or "" for whatever is none."""
    try:
        return normalize_label(items.text(facts, "predicted", default=""))
    except InvalidInput:
        return ""
