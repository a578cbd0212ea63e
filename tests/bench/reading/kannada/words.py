"""Makes the list of words that lines of Kannada print are drawn from: python -m tests.bench.reading.kannada.words OUT.

Words come from Tesseract's model of Kannada (Apache-2.0), out of which its own tools take them; a part is spelled with
letters that are no longer written. Others are made by the grammar of syllables, so that rare ones occur, too; and there
are numbers, marks and a few Latin letters, as in books.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import tempfile
import unicodedata
from pathlib import Path

MODEL = Path("/usr/share/tesseract-ocr/5/tessdata/kan.traineddata")
_OLD, _SYLLABLES, _NUMBERS, _MARKS, _LATIN = 25_000, 15_000, 5_000, 4_000, 2_500
_WORD = re.compile("[\u0c80-\u0cff\u200c\u200d]{2,24}")
_WRONG = re.compile("\u0ccd\u0ccd|\u200c\u0ccd")
_CONSONANTS = [chr(code) for code in range(0x0C95, 0x0CBA) if unicodedata.name(chr(code), "")] + ["ಱ", "ೞ", "ಱ"]
_SIGNS = [chr(code) for code in range(0x0CBE, 0x0CCD) if unicodedata.name(chr(code), "")]
_SIGNS += [""] * 4 + ["ಿ", "ೀ", "ೆ", "ೇ", "ೊ", "ೋ", "ು", "ೂ"] * 2
_VOWELS = "ಅಆಇಈಉಊಋಎಏಐಒಓಔ"
_DIGITS = "೦೧೨೩೪೫೬೭೮೯"
_OF_BOOKS = ["।", "॥", "||", "|", "—", "–", "=", "/", "...", "*", "%", "+", "[", "]", "&", ".", "..", "•", "॥"]
_FORMS = ["{}", "{}", "{}.", "{})", "({})", "॥ {} ॥", "॥{}॥", "||{}||", "{}-", "{}%", "{}ನೇ", "{}ರಲ್ಲಿ", "{}/", "[{}]"]
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "a", "b", "c", "A", "B", "C"]


def read_words(model: Path) -> list[str]:
    """Return the words of a model of Tesseract. Needs combine_tessdata and dawg2wordlist, which come with Tesseract."""
    with tempfile.TemporaryDirectory() as name:
        parts = Path(name, "kan.")
        subprocess.run(["combine_tessdata", "-u", model, parts], check=True, capture_output=True)
        charset, dawg, words = (f"{parts}{part}" for part in ("lstm-unicharset", "lstm-word-dawg", "words"))
        subprocess.run(["dawg2wordlist", charset, dawg, words], check=True, capture_output=True)
        return Path(words).read_text(encoding="utf-8").split("\n")


def make_list(words: list[str], rng: random.Random) -> list[str]:
    """Return the list in random order. words: as they are found."""
    known = [unicodedata.normalize("NFC", word.strip()) for word in words]
    known = [word for word in known if _WORD.fullmatch(word) and not _WRONG.search(word)]
    rng.shuffle(known)
    found = [*known, *(_spell_as_before(word, rng) for word in known[:_OLD])]
    found += [_make_syllables(rng) for _ in range(_SYLLABLES)]
    found += [_make_number(rng) for _ in range(_NUMBERS)]
    found += [rng.choice(_OF_BOOKS) for _ in range(_MARKS)]
    found += [_make_latin(rng) for _ in range(_LATIN)]
    found = [unicodedata.normalize("NFC", word).rstrip("\u200c\u200d") for word in found]
    found = [word for word in found if word and not _WRONG.search(word)]
    rng.shuffle(found)
    return _prefer_dandas(found)


def _prefer_dandas(words: list[str]) -> list[str]:
    """Return the words with dandas in place of bars, which look like them. One bar stays, so that it is known."""
    bar = words.index("|")
    return [word if i == bar else word.replace("||", "॥").replace("|", "।") for i, word in enumerate(words)]


def _spell_as_before(word: str, rng: random.Random) -> str:
    if rng.random() < 0.5 and "ರ" in word:
        word = word.replace("ರ", "ಱ", 1)
    else:
        word = word.replace("ಳ" if "ಳ" in word else "ಲ", "ೞ", 1)
    return word + (rng.choice("ಂಃ್") if rng.random() < 0.25 and unicodedata.category(word[-1]) == "Lo" else "")


def _make_syllables(rng: random.Random) -> str:
    text = rng.choice(_VOWELS) if rng.random() < 0.3 else ""
    for _ in range(rng.randint(1, 5)):
        text += rng.choice(_CONSONANTS)
        while rng.random() < 0.3:
            text += "್" + rng.choice(_CONSONANTS)
        text += rng.choice(_SIGNS) + (rng.choice("ಂಃ") if rng.random() < 0.1 else "")
    return text


def _make_number(rng: random.Random) -> str:
    digits = _DIGITS if rng.random() < 0.6 else "0123456789"
    number = "".join(rng.choice(digits) for _ in range(rng.randint(1, 4)))
    return rng.choice(_FORMS).format(number)


def _make_latin(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(_ROMAN) + rng.choice([")", ".", ""])
    if kind < 0.5:
        return rng.choice(["({})", "{})", "{}."]).format(rng.choice(_VOWELS + "".join(_CONSONANTS)))
    return "".join(rng.choice(_LETTERS) for _ in range(rng.randint(1, 7)))


def main() -> None:
    """Write the list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL, help="tessdata_fast's kan.traineddata")
    given = parser.parse_args()
    words = make_list(read_words(given.model), random.Random(5))
    given.out.write_text("\n".join(words) + "\n", encoding="utf-8")
    print(f"wrote {len(words):,} words to {given.out}")


if __name__ == "__main__":
    main()
