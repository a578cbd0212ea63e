"""Everything that training draws from, traced once and kept in a cache folder.

Tracing fonts and scans takes minutes; the result is a few flat arrays, so it is stored as npz (no pickle) and read
back at once by each process.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import fonts, sources
from .fonts import SCRIPTS, Script, Syllable, syllables, trace_font
from .polylines import Drawing
from .sources import HELD_OUT_ALPHABETS, Scans
from .tracing import trace

CACHE_VERSION = 3


@dataclass(frozen=True)
class Written:
    """A character known by example: scans, the same as polylines (None where tracing failed), or both."""

    scans: Scans | None
    drawings: list[Drawing]


@dataclass(frozen=True)
class FontScript:
    """The characters of one script, each drawn by at least one font."""

    name: str
    units: list[Syllable]
    drawings: list[list[Drawing]]


@dataclass(frozen=True)
class Library:
    """All training material. Alphabets are lists of characters."""

    omniglot: list[list[Written]]
    pens: list[list[list[Drawing]]]
    english: list[list[Written]]
    fonts: list[FontScript]
    hanzi: list[Drawing]
    strokes: list[NDArray[np.float32]]
    """Single strokes of real pens, for compositions; each (n, 2)."""


@dataclass(frozen=True)
class Folders:
    """Where the material lies; hanzi and fonts may be absent."""

    data: Path
    hanzi: Path | None
    fonts: Path | None
    cache: Path


def load_library(folders: Folders) -> Library:
    """The library, from the cache as far as possible."""
    scans = {a: c for a, c in sources.load_omniglot(folders.data).items() if a not in HELD_OUT_ALPHABETS}
    traced = _cached(folders, "omniglot", lambda: _trace_scans([s for cs in scans.values() for c in cs for s in c]))
    omniglot, at = [], 0
    for characters in scans.values():
        alphabet = []
        for c in characters:
            alphabet.append(Written(c, [d for d in traced[at : at + len(c)] if d is not None]))
            at += len(c)
        omniglot.append(alphabet)
    pens = sources.load_omniglot_strokes(folders.data)
    strokes = [s for a in pens for c in a for d in c for s in d.strokes()]
    english = [[Written(c, []) for c in a] for a in sources.load_english(folders.data)]
    hanzi = _hanzi(folders) if folders.hanzi else []
    return Library(omniglot, pens, english, font_scripts(folders), hanzi, strokes)


def _hanzi(folders: Folders) -> list[Drawing]:
    """Parsing ten thousand JSON files takes seconds, hence the cache."""
    loaded = _cached(folders, "hanzi", lambda: list(sources.load_hanzi(folders.hanzi or Path())))
    return [d for d in loaded if d is not None]


def font_files(folder: Path, scripts: Sequence[Script] = SCRIPTS) -> dict[str, Path]:
    """File name -> path, of the fonts that the scripts name and the folder holds."""
    wanted = {f for s in scripts for f in s.fonts}
    return {p.name: p for p in sorted(folder.rglob("*.ttf")) if p.name in wanted}


def font_scripts(folders: Folders, scripts: Sequence[Script] = SCRIPTS) -> list[FontScript]:
    """Those of the scripts that the fonts at hand can write, at least eight characters of each; from the cache if
    possible.
    """
    if folders.fonts is None:
        return []
    found = font_files(folders.fonts, scripts)
    jobs = [(found[f], syllables(s)) for s in scripts for f in s.fonts if f in found]
    made_from = " ".join(found) + repr(tuple(scripts))
    traced = iter(_cached(folders, "fonts", lambda: _pooled(_trace_job, jobs), made_from))
    written = []
    for script in scripts:
        units = syllables(script)
        columns = [[next(traced) for _ in units] for f in script.fonts if f in found]
        written.append(_font_script(script, units, columns))
    return [s for s in written if len(s.units) >= 8]


def _font_script(script: Script, units: list[Syllable], columns: list[list[Drawing | None]]) -> FontScript:
    """Keep what at least one font could draw."""
    rows = [[d for d in row if d is not None] for row in zip(*columns, strict=True)] if columns else []
    kept = [i for i, row in enumerate(rows) if row]
    return FontScript(script.name, [units[i] for i in kept], [rows[i] for i in kept])


def _trace_job(job: tuple[Path, list[Syllable]]) -> list[Drawing | None]:
    return trace_font(*job)


def _trace_chunk(scans: list[Scans]) -> list[Drawing | None]:
    return [trace(np.pad(s, 2) > 127) for s in scans]


def _trace_scans(scans: list[Scans]) -> list[Drawing | None]:
    return _pooled(_trace_chunk, [scans[i : i + 200] for i in range(0, len(scans), 200)])


def _pooled(work: Callable[[Any], list[Drawing | None]], jobs: Iterable[Any]) -> list[Drawing | None]:
    """Jobs on all cores, their results joined in order."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        return [d for part in pool.imap(work, jobs) for d in part]


def _cached(
    folders: Folders, name: str, build: Callable[[], list[Drawing | None]], made_from: str = ""
) -> list[Drawing | None]:
    """The list `build` makes, stored under a name that changes with what it was made from."""
    key = f"{CACHE_VERSION} {name} {folders.data} {folders.hanzi} {folders.fonts} {fonts.EM}{made_from}"
    path = folders.cache / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
    if not path.exists():
        folders.cache.mkdir(parents=True, exist_ok=True)
        _store(path, build())
    return _read(path)


def _store(path: Path, drawings: list[Drawing | None]) -> None:
    """Flat arrays; a drawing that failed has no strokes."""
    kept = [d for d in drawings if d is not None]
    points = np.concatenate([d.points for d in kept]) if kept else np.zeros((0, 2), np.float32)
    counts = np.concatenate([d.counts for d in kept]) if kept else np.zeros(0, np.int32)
    strokes = np.array([0 if d is None else len(d.counts) for d in drawings], np.int32)
    draft = path.with_suffix(f".{os.getpid()}.tmp.npz")
    np.savez_compressed(draft, points=points, counts=counts, strokes=strokes)
    draft.rename(path)


def _read(path: Path) -> list[Drawing | None]:
    with np.load(path) as file:
        points, counts, strokes = file["points"], file["counts"], file["strokes"]
    stroke_ends = np.cumsum(strokes)
    point_ends = np.concatenate([[0], np.cumsum(counts)])
    out: list[Drawing | None] = []
    for end, n in zip(stroke_ends, strokes, strict=True):
        part = slice(point_ends[end - n], point_ends[end])
        out.append(Drawing(points[part], counts[end - n : end]) if n else None)
    return out
