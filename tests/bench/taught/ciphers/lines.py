"""Lines of real manuscripts in scripts of their own, read by cut-outs of their symbols.

The lines were transcribed by eye. Prices of paths were fitted on those of copiale.txt and borg.txt. Those of
copiale_aside.txt and borg_aside.txt were no part of the fit; but their errors have been looked at, and what was changed
since was chosen with them in view, so that they are no independent measure any more.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from haleganada_client import HaleganadaClient
from PIL import Image, ImageOps

from tests.bench.reading.scores import edits
from tests.bench.table import Table

SHOTS = 5
TARGETS = {"copiale": "≤ 4 %", "borg": "≤ 10 %"}
BASELINE = {"copiale 03_4": "about 4 of 48"}
_HERE = Path(__file__).parent


def measure(client: HaleganadaClient, data: Path) -> Table:
    table = Table("Lines of ciphers, 5 cut-outs of each symbol taught", ("line", "errors", "symbols", "prototype"))
    for cipher, target in TARGETS.items():
        client.create_workspace(cipher)
        teach(client, cipher, data)
        for lines, kind in ((cipher, "prices were fitted on them"), (f"{cipher}_aside", "not in the fit")):
            errors = total = 0
            for name, truth in load_transcripts(lines).items():
                read = read_line(client, cipher, name, data)
                wrong = edits(read, truth)
                errors, total = errors + wrong, total + len(truth)
                print(f"{name}: {' '.join(read)}", flush=True)
                table.add(f"{cipher} {name}", str(wrong), str(len(truth)), BASELINE.get(f"{cipher} {name}", ""))
            rate = f"{100 * errors / total:.1f} %"
            table.add(f"{cipher}: symbol error rate, {kind} (target {target})", rate, str(total), "")
    return table


def teach(client: HaleganadaClient, cipher: str, data: Path) -> None:
    lessons = [(picture, symbol, "", "") for picture, symbol in load_lessons(cipher, data)]
    for start in range(0, len(lessons), 128):
        client.train_batch(lessons[start : start + 128], workspace=cipher)


def load_lessons(cipher: str, data: Path) -> list[tuple[bytes, str]]:
    """Return SHOTS cut-outs of each symbol, with its name."""
    with zipfile.ZipFile(data / "ciphers" / "alphabets.zip") as file:
        names = sorted(name for name in file.namelist() if f"/{cipher}/" in name and name.endswith(".jpg"))
        by_symbol: dict[str, list[str]] = {}
        for name in names:
            by_symbol.setdefault(name.split("/")[-2], []).append(name)
        return [(_square(file.read(name)), symbol) for symbol, own in by_symbol.items() for name in own[:SHOTS]]


def read_line(client: HaleganadaClient, cipher: str, name: str, data: Path) -> list[str]:
    """Return the symbols of a line."""
    page = client.read(load_line(cipher, name, data), mode="taught", workspace=cipher)
    return [glyph.text or "?" for word in page.words for glyph in word.glyphs]


def load_line(cipher: str, name: str, data: Path) -> bytes:
    with zipfile.ZipFile(data / "ciphers" / "lines.zip") as file:
        return file.read(next(one for one in file.namelist() if one.endswith(f"{cipher}/{name}.jpg")))


def load_transcripts(name: str) -> dict[str, list[str]]:
    """Return the symbols of each line of NAME.txt."""
    lines = (_HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    named = (line.split(": ") for line in lines if not line.startswith("#"))
    return {name: symbols.split() for name, symbols in named}


def _square(picture: bytes) -> bytes:
    """Return a cut-out on paper as wide as it is high, so that dots are as small on it as they are in a line."""
    cut = Image.open(io.BytesIO(picture)).convert("L")
    side = max(cut.size)
    buffer = io.BytesIO()
    ImageOps.pad(cut, (side, side), color=255).save(buffer, "PNG")
    return buffer.getvalue()
