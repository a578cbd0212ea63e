"""The archive: everything that is taught, with its past and its embeddings, so that another server predicts
identically.

A zip with manifest.json (format, revision, counts, SHA-256 of the other two), samples.jsonl (one sample a line, the
drawing as stored, base64), and embeddings.f32 (n x d little-endian float32 in the same order).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.ink_codec import decode_ink
from haleganada_server.core.ports import ImportItem, InkReader, SampleRow, WorkspaceLog
from haleganada_server.core.types import Glyph, Refused

from . import items, members

MANIFEST = "manifest.json"
_FORMAT = 1
_MAX_LINE = 16 * 2**20
_MAX_MANIFEST = 2**20


def write(log: WorkspaceLog, ink: InkReader, path: Path) -> None:
    """Write the archive; the samples are of one consistent state."""
    del ink  # drawings go as they are stored
    links = log.links()
    vectors, digest, count, dim = path.with_suffix(".f32"), hashlib.sha256(), 0, 0
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file, vectors.open("wb") as beside:
            with file.open("samples.jsonl", "w", force_zip64=True) as lines:
                for sample in log.every_sample():
                    line = json.dumps(_described(sample, links), ensure_ascii=False).encode() + b"\n"
                    lines.write(line)
                    digest.update(line)
                    beside.write(sample.embedding.tobytes())
                    count, dim = count + 1, len(sample.embedding)
            beside.flush()
            file.write(vectors, "embeddings.f32")
            manifest = {
                "format": _FORMAT,
                "samples": count,
                "dim": dim,
                "revision": log.revision(),
                "links": links,
                "samples_sha256": digest.hexdigest(),
            }
            file.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    finally:
        vectors.unlink(missing_ok=True)


def read(path: Path) -> Iterator[ImportItem | Refused]:
    """The samples of an archive. Raises InvalidInput if the archive as a whole is damaged or newer than this server."""
    with zipfile.ZipFile(path) as file:
        members.check(file)
        manifest = _manifest(file)
        with _member(file, "samples.jsonl") as lines, _member(file, "embeddings.f32") as vectors:
            for number in range(1, manifest["samples"] + 1):
                line = lines.readline(_MAX_LINE)
                vector = np.frombuffer(vectors.read(4 * manifest["dim"]), dtype="<f4")
                if not line or len(vector) != manifest["dim"]:
                    raise InvalidInput("file", "the archive is shorter than its manifest says; export it again")
                yield _item(number, line, vector)


def _manifest(file: zipfile.ZipFile) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(members.content(file, MANIFEST, _MAX_MANIFEST))
        if manifest["format"] > _FORMAT:
            raise InvalidInput("file", "was exported by a newer version; update this server")
        manifest["samples"], manifest["dim"] = int(manifest["samples"]), int(manifest["dim"])
    except (ValueError, KeyError, TypeError):
        raise InvalidInput("file", "has no valid manifest; export it again") from None
    if manifest["samples"] < 0 or not 0 <= manifest["dim"] <= 65536:
        raise InvalidInput("file", "has no valid manifest; export it again")
    return manifest


def _member(file: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return file.open(name)
    except (KeyError, zipfile.BadZipFile):
        raise InvalidInput("file", f"lacks {name}; export it again") from None


def _described(sample: SampleRow, links: dict[str, str]) -> dict[str, Any]:
    return {
        "sample_id": sample.sample_id, "label": sample.label, "canonical": links.get(sample.label, ""),
        "glyph_kind": sample.glyph_kind, "glyph": base64.b64encode(sample.glyph).decode(), "loss": sample.loss,
        "predicted": sample.predicted, "new_label": sample.new_label, "correction": sample.correction,
        "time_us": sample.time_us, "embedder_hash": sample.embedder_hash,
    }  # fmt: skip


def _item(number: int, line: bytes, vector: NDArray[np.float32]) -> ImportItem | Refused:
    name = f"line {number}"
    try:
        facts = json.loads(line)
        kind, drawing = str(facts["glyph_kind"]), base64.b64decode(facts["glyph"], validate=True)
        glyph = Glyph(ink=decode_ink(drawing)) if kind == "ink" else Glyph(image=drawing)
        time_us = int(facts["time_us"])
        return ImportItem(
            name, str(facts["label"]), str(facts["canonical"]), glyph, items.key(facts["label"], drawing, time_us),
            (kind, drawing), vector, str(facts["embedder_hash"]), time_us, float(facts["loss"]),
            str(facts["predicted"]), bool(facts["new_label"]), bool(facts["correction"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, binascii.Error, OSError) as error:
        return Refused(name, InvalidInput("file", f"this sample cannot be read ({type(error).__name__})"))
    except Exception as error:  # zlib.error has no better base
        if type(error).__module__ != "zlib":
            raise
        return Refused(name, InvalidInput("file", "this sample's strokes are damaged"))
