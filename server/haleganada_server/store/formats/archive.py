"""The archive: all samples with their history and their embeddings, so that another server predicts identically.

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

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import DataLoss, InvalidInput
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.sample_log.rows import SampleRow
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem
from haleganada_server.store.sample_log.reader import LogReader

from . import drawings, items

MANIFEST = "manifest.json"
_SAMPLES, _VECTORS = "samples.jsonl", "embeddings.f32"
MEMBERS = frozenset((MANIFEST, _SAMPLES))
"""The members by which an archive is recognized."""
_FORMAT = 1
_MAX_MANIFEST = 16 * 2**20
_MAX_DIM = 65536
_CHUNK = 2**20


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write the archive."""
    del rasterizer  # drawings go as they are stored
    links, dim = log.links(), log.embedding_dimension()
    with zipfile.ZipFile(path, "w") as file:
        with _open_hashed(file, _SAMPLES) as (add, samples_sha256):
            for sample in log.all_samples():
                add(json.dumps(_describe(_match_dimension(sample, dim), links), ensure_ascii=False).encode() + b"\n")
        with _open_hashed(file, _VECTORS, zipfile.ZIP_STORED) as (add, vectors_sha256):
            for sample in log.all_samples():
                add(_match_dimension(sample, dim).embedding.tobytes())
        manifest = {
            "format": _FORMAT, "samples": log.count(), "dim": dim, "revision": log.revision(), "links": links,
            "sha256": {_SAMPLES: samples_sha256(), _VECTORS: vectors_sha256()},
        }  # fmt: skip
        file.writestr(zip_files.new_member(MANIFEST), json.dumps(manifest, ensure_ascii=False, indent=1))


def read(path: Path, rasterizer: Rasterizer) -> Iterator[ImportItem | RefusedItem]:
    """Yield the samples of an archive. Raises InvalidInput before the first one if the archive is damaged or from a
    newer version.
    """
    with zip_files.open_zip(path) as file:
        manifest = _read_manifest(file)
        for name in (_SAMPLES, _VECTORS):
            if _sha256(file, name) != manifest["sha256"].get(name):
                raise InvalidInput("file", f"is damaged: {name} differs from what was exported; export it again")
        with file.open(_SAMPLES) as samples, file.open(_VECTORS) as vectors:
            for number, line in enumerate(items.read_lines(samples), start=1):
                vector = np.frombuffer(vectors.read(4 * manifest["dim"]), dtype="<f4")
                yield _parse_item(f"line {number}", line, vector, rasterizer)


def _read_manifest(file: zipfile.ZipFile) -> dict[str, Any]:
    manifest = items.parse_json_object(zip_files.read_member(file, MANIFEST, _MAX_MANIFEST))
    numbers = [manifest.get(name) for name in ("format", "samples", "dim")]
    if not all(isinstance(number, int) for number in numbers) or not isinstance(manifest.get("sha256"), dict):
        raise InvalidInput("file", "has no valid manifest; export it again")
    if manifest["format"] > _FORMAT:
        raise InvalidInput("file", "was exported by a newer version; update this server")
    expected_size = 4 * manifest["dim"] * manifest["samples"]
    if not 0 <= manifest["dim"] <= _MAX_DIM or _member_size(file, _VECTORS) != expected_size:
        raise InvalidInput("file", "does not have as many embeddings as its manifest says; export it again")
    return manifest


def _member_size(file: zipfile.ZipFile, name: str) -> int:
    try:
        return file.getinfo(name).file_size
    except KeyError:
        raise InvalidInput("file", f"lacks {name}; export it again") from None


def _sha256(file: zipfile.ZipFile, name: str) -> str:
    _member_size(file, name)
    digest = hashlib.sha256()
    with file.open(name) as member:
        while chunk := member.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _open_hashed(
    file: zipfile.ZipFile, name: str, compression: int = zipfile.ZIP_DEFLATED
) -> Iterator[tuple[Callable[[bytes], None], Callable[[], str]]]:
    """Open a member for writing: a function that appends bytes, and one that returns the SHA-256 of all of them."""
    digest = hashlib.sha256()
    member: IO[bytes]
    with file.open(zip_files.new_member(name, compression), "w", force_zip64=True) as member:

        def add(data: bytes) -> None:
            member.write(data)
            digest.update(data)

        yield add, digest.hexdigest


def _match_dimension(sample: SampleRow, dim: int) -> SampleRow:
    """Return the sample, with a zero embedding if its own has another dimension; an import then embeds it again."""
    if len(sample.embedding) == dim:
        return sample
    return replace(sample, embedding=np.zeros(dim, dtype="<f4"), embedder_hash="")


def _describe(sample: SampleRow, links: dict[str, str]) -> dict[str, Any]:
    if not sample.glyph:
        raise DataLoss(
            f"the drawing of sample {sample.sample_id} is damaged; forget that sample, or restore a snapshot"
        )
    return {
        "sample_id": sample.sample_id, "label": sample.label, "canonical": links.get(sample.label, ""),
        "glyph_kind": sample.glyph_kind, "glyph": base64.b64encode(sample.glyph).decode(), "loss": sample.loss,
        "predicted": sample.predicted, "new_label": sample.new_label, "correction": sample.correction,
        "time_us": sample.time_us, "embedder_hash": sample.embedder_hash,
    }  # fmt: skip


def _parse_item(
    name: str, line: bytes, vector: NDArray[np.float32], rasterizer: Rasterizer
) -> ImportItem | RefusedItem:
    try:
        fields = items.parse_json_object(line)
        kind, drawing = items.get_text(fields, "glyph_kind"), items.get_bytes(fields, "glyph")
        drawings.to_raster(kind, drawing, rasterizer)  # it will be stored as it is, so it has to be valid
        if not np.isfinite(vector).all():
            raise InvalidInput("embedding", "is not a vector of numbers")
        label, time_us = items.get_text(fields, "label"), items.get_time_us(fields)
        return ImportItem(
            item=name,
            label=label,
            canonical=items.get_text(fields, "canonical"),
            glyph=drawings.to_glyph(kind, drawing),
            key=items.item_key(label, drawing, time_us),
            stored_glyph=(kind, drawing),
            embedding=vector,
            embedder_hash=items.get_text(fields, "embedder_hash"),
            time_us=time_us,
            loss=items.get_loss(fields),
            predicted=_parse_predicted(fields),
            new_label=bool(fields.get("new_label")),
            correction=bool(fields.get("correction")),
        )
    except InvalidInput as error:
        return RefusedItem(name, error)
    except DataLoss as error:
        return RefusedItem(name, InvalidInput("glyph", error.message))


def _parse_predicted(fields: dict[str, Any]) -> str:
    """Return a label; "" if it is not one."""
    try:
        return normalize_label(items.get_text(fields, "predicted", default=""))
    except InvalidInput:
        return ""
