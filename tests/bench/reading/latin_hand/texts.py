"""Writes texts to draw lines from: python -m tests.bench.reading.latin_hand.texts FOLDER.

French and English prose of the hands that are trained on, found in HALEGANADA_DATA; the King James Bible (Debian's
bible-kjv, public domain); and the words of Tesseract's models of both languages (Apache-2.0). Each becomes a file. With
--novels, so do Jane Austen's (Debian's r-cran-janeaustenr, public domain), from which order.py learns.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import zlib
from pathlib import Path

from haleganada_server.core.datasets.dataset import Part

from tests.bench.reading.kannada.words import read_words
from tests.bench.reading.latin_hand.hands import load_hands
from tests.bench.reading.sets import Line

_MODELS = Path("/usr/share/tesseract-ocr/5/tessdata")
_WORD = re.compile(r"[^\W\d_][\w'’-]{1,20}")
_VERSE = re.compile(r"^\S+\d+:\d+ ?")
_NOVELS = Path("/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
_R_STRING = re.compile(rb"\x00[\x00-\xff][\x00-\xff]\x09\x00\x00([\x00-\xff]{2})", re.DOTALL)
"""The flags and the length of a string in R's files."""

_STRUCK = re.compile("[<>]")
_MOST = 40_000  # words of a language
_CAPITALS = 0.25, 0.06  # shares of words that begin with a capital, or are in capitals


def list_words(model: Path, rng: random.Random) -> list[str]:
    """Return words of a model of Tesseract in random order, some of them with capitals."""
    words = [word for word in read_words(model) if _WORD.fullmatch(word)]
    rng.shuffle(words)
    return [_capitalize(word, rng) for word in words[:_MOST]]


def _capitalize(word: str, rng: random.Random) -> str:
    kind = rng.random()
    first, all_of_it = _CAPITALS
    return word.upper() if kind < all_of_it else word.capitalize() if kind < all_of_it + first else word


def read_bible() -> list[str]:
    """Return the verses of the King James Bible. Needs Debian's bible-kjv."""
    ran = subprocess.run(["bible", "-l200", "gen1:1-rev22:21"], check=True, capture_output=True, encoding="latin-1")
    return [_VERSE.sub("", row).strip() for row in ran.stdout.splitlines()]


def read_novels(file: Path = _NOVELS) -> list[str]:
    """Return the rows of Jane Austen's novels. Needs Debian's r-cran-janeaustenr, but not R."""
    data, rows = file.read_bytes(), list[str]()
    while data:
        unpacker = zlib.decompressobj()
        strings = unpacker.decompress(data[4:])  # behind their length
        for found in _R_STRING.finditer(strings):
            end = found.end() + int.from_bytes(found[1], "big")
            rows.append(strings[found.end() : end].decode("utf-8", "replace"))
        data = unpacker.unused_data
    return [row.replace("--", "—").replace("_", "").strip() for row in rows]


def main() -> None:
    """Write the texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--novels", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    data, rng = Path(os.environ["HALEGANADA_DATA"]), random.Random(5)
    texts = {
        "french": [line.text for name in ("copiste_lines_fr", "poilus_lines_fr") for line in _trained(data, name)],
        "english": [line.text for line in _trained(data, "stanford_letters_en")] * 10 + read_bible(),
        "french_words": list_words(_MODELS / "fra.traineddata", rng),
        "english_words": list_words(_MODELS / "eng.traineddata", rng),
    }
    if given.novels:
        texts["english_novels"] = read_novels()
    for name, rows in texts.items():
        kept = [row for row in rows if row and not _STRUCK.search(row)]
        (given.out / f"{name}.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")
        print(f"{name}: {len(kept):,} lines")


def _trained(data: Path, folder: str) -> list[Line]:
    return load_hands(data, folder)[Part.TRAIN]


if __name__ == "__main__":
    main()
