"""All training material, traced once and kept in a cache folder.

Tracing fonts and scans takes minutes. The result is a few flat arrays, stored as npz without pickle, which each process
loads in no time.
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
from .fonts import SCRIPTS, Script, Syllable, list_syllables, trace_font
from .polylines import Drawing
from .sources import HELD_OUT_ALPHABETS, Scans
from .tracing import trace

CACHE_VERSION = 4


@dataclass(frozen=True)
class WrittenCharacter:
    """A character in scans, and the same drawings as polylines, without those that could not be traced."""

    scans: Scans | None
    drawings: list[Drawing]


@dataclass(frozen=True)
class FontScript:
    """Characters of one script, each drawn in at least one font."""

    name: str
    units: list[Syllable]
    drawings: list[list[Drawing]]


@dataclass(frozen=True, kw_only=True)
class Library:
    """All training material. Alphabets are lists of characters."""

    omniglot: list[list[WrittenCharacter]]
    pens: list[list[list[Drawing]]]
    english: list[list[WrittenCharacter]]
    symbols: list[list[Drawing]]
    """Symbols, each by the pens of many people."""
    fonts: list[FontScript]
    hanzi: list[Drawing]
    strokes: list[NDArray[np.float32]]
    """Single strokes by real pens, (n, 2) each, for compositions."""


@dataclass(frozen=True)
class Folders:
    """Folders of the material. hanzi, fonts, symbols: None if absent."""

    data: Path
    hanzi: Path | None
    fonts: Path | None
    cache: Path
    symbols: Path | None = None


def load_library(folders: Folders) -> Library:
    """Load the library, from the cache as far as possible."""
    scans = {a: c for a, c in sources.load_omniglot(folders.data).items() if a not in HELD_OUT_ALPHABETS}
    flat = [scan for characters in scans.values() for c in characters for scan in c]
    chunks = [flat[i : i + 200] for i in range(0, len(flat), 200)]
    traced = _load_cached(folders, "omniglot", lambda: _map_in_processes(_trace_chunk, chunks))
    omniglot, at = [], 0
    for characters in scans.values():
        alphabet = []
        for c in characters:
            alphabet.append(WrittenCharacter(c, [d for d in traced[at : at + len(c)] if d is not None]))
            at += len(c)
        omniglot.append(alphabet)
    pens = sources.load_omniglot_strokes(folders.data)
    strokes = [s for a in pens for c in a for d in c for s in d.strokes()]
    english = [[WrittenCharacter(c, []) for c in a] for a in sources.load_english(folders.data)]
    return Library(
        omniglot=omniglot,
        pens=pens,
        english=english,
        symbols=sources.load_symbols(folders.symbols) if folders.symbols else [],
        fonts=load_font_scripts(folders),
        hanzi=_load_hanzi(folders) if folders.hanzi else [],
        strokes=strokes,
    )


def _load_hanzi(folders: Folders) -> list[Drawing]:
    """Load hanzi through the cache, because parsing ten thousand JSON files takes seconds."""
    loaded = _load_cached(folders, "hanzi", lambda: list(sources.load_hanzi(folders.hanzi or Path())))
    return [d for d in loaded if d is not None]


def find_font_files(folder: Path, scripts: Sequence[Script] = SCRIPTS) -> dict[str, Path]:
    """Return the fonts of these scripts that are in a folder, file name -> path."""
    wanted = {f for s in scripts for f in s.fonts}
    return {p.name: p for p in sorted(folder.rglob("*.ttf")) if p.name in wanted}


def load_font_scripts(folders: Folders, scripts: Sequence[Script] = SCRIPTS) -> list[FontScript]:
    """Load the scripts of which the fonts in the folder have at least eight characters, from the cache if possible."""
    if folders.fonts is None:
        return []
    found = find_font_files(folders.fonts, scripts)
    jobs = [(found[f], list_syllables(s)) for s in scripts for f in s.fonts if f in found]
    made_from = " ".join(found) + repr(tuple(scripts))
    traced = iter(_load_cached(folders, "fonts", lambda: _map_in_processes(_trace_job, jobs), made_from))
    loaded = []
    for script in scripts:
        units = list_syllables(script)
        columns = [[next(traced) for _ in units] for f in script.fonts if f in found]
        loaded.append(_combine_fonts(script, units, columns))
    return [s for s in loaded if len(s.units) >= 8]


def _combine_fonts(script: Script, units: list[Syllable], columns: list[list[Drawing | None]]) -> FontScript:
    """Combine the columns, one a font, into a script of the units that at least one font has."""
    rows = [[d for d in row if d is not None] for row in zip(*columns, strict=True)] if columns else []
    kept = [i for i, row in enumerate(rows) if row]
    return FontScript(script.name, [units[i] for i in kept], [rows[i] for i in kept])


def _trace_job(job: tuple[Path, list[Syllable]]) -> list[Drawing | None]:
    return trace_font(*job)


def _trace_chunk(scans: list[Scans]) -> list[Drawing | None]:
    return [trace(np.pad(s, 2) > 127) for s in scans]


def _map_in_processes(work: Callable[[Any], list[Drawing | None]], jobs: Iterable[Any]) -> list[Drawing | None]:
    """Run jobs on all cores and concatenate their results in order."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        return [d for part in pool.imap(work, jobs) for d in part]


def _load_cached(
    folders: Folders, name: str, build: Callable[[], list[Drawing | None]], made_from: str = ""
) -> list[Drawing | None]:
    """Return what `build` makes, cached under a name that depends on its inputs."""
    key = f"{CACHE_VERSION} {name} {folders.data} {folders.hanzi} {folders.fonts} {fonts.EM}{made_from}"
    path = folders.cache / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
    if not path.exists():
        folders.cache.mkdir(parents=True, exist_ok=True)
        _write(path, build())
    return _read(path)


def _write(path: Path, drawings: list[Drawing | None]) -> None:
    """Write drawings as flat arrays; one that could not be traced has no strokes."""
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
