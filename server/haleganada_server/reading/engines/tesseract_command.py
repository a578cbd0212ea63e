"""Runs the command `tesseract`. Pictures go in through its standard input and text comes out of its standard output,
so that no file is left behind, whatever happens.
"""

from __future__ import annotations

import functools
import io
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

from .port import Picture

_COMMAND = "tesseract"
_TIMEOUT_S = 20.0  # and as much again for each megapixel
_LOOKUP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Installation:
    """What is installed. models: as Tesseract calls them, without those that are no language. tells_scripts: whether
    find_script can be asked.
    """

    version: str
    models: tuple[str, ...]
    tells_scripts: bool


def find_installation() -> Installation | None:
    """Return what is installed; None if there is no command that answers now."""
    if shutil.which(_COMMAND) is None:
        return None
    try:
        return ask_installation()
    except (OSError, RuntimeError, Exhausted):
        return None


@functools.cache  # an error is not kept: the machine may have been too busy, or the package just being installed
def ask_installation() -> Installation:
    """Ask the command what is installed, once in the life of the process. Raises OSError, RuntimeError or Exhausted."""
    version = re.search(r"tesseract v?(\S+)", _run(["--version"], b"", _LOOKUP_TIMEOUT_S))
    names = _run(["--list-langs"], b"", _LOOKUP_TIMEOUT_S).splitlines()[1:]
    models = tuple(name for name in names if name not in {"osd", "equ", "snum"})
    return Installation(version[1] if version else "", models, "osd" in names)


def read_hocr(pictures: Sequence[Picture], models: Sequence[str], segmentation: int) -> str:
    """Read pictures and return one hOCR document with a page for each, and a box for each character.

    segmentation: Tesseract's --psm. Raises Exhausted if it takes too long, RuntimeError if the command fails.
    """
    arguments = ["stdin", "stdout", "-l", "+".join(models), "--psm", str(segmentation)]
    return _run([*arguments, "-c", "hocr_char_boxes=1", "hocr"], _as_tiff(pictures), _time_for(pictures))


def find_script(picture: Picture) -> str:
    """Return the script of upright text, for example "Kannada"; "" = Tesseract cannot tell."""
    try:
        answer = _run(["stdin", "stdout", "-l", "osd", "--psm", "0"], _as_tiff([picture]), _time_for([picture]))
    except RuntimeError:  # too little text
        return ""
    script = re.search(r"^Script: (\w+)", answer, re.MULTILINE)
    return script[1] if script else ""


def _as_tiff(pictures: Sequence[Picture]) -> bytes:
    first, *others = (Image.fromarray(picture).convert("L") for picture in pictures)
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=others, dpi=(300, 300))
    return buffer.getvalue()


def _time_for(pictures: Sequence[Picture]) -> float:
    return _TIMEOUT_S * (1 + sum(picture.size for picture in pictures) / 3e6)


def _run(arguments: Sequence[str], content: bytes, timeout_s: float) -> str:
    # One core for each process: several read at once, and people who draw need the cores, too.
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [_COMMAND, *arguments], input=content, capture_output=True, timeout=timeout_s, env=environment
        )
    except subprocess.TimeoutExpired:
        raise Exhausted(
            f"Tesseract did not finish within {timeout_s:.0f} s; send a smaller picture, or fewer pages at once",
            Reason.READER_TIMEOUT,
        ) from None
    if done.returncode:
        raise RuntimeError(f"tesseract ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout.decode(errors="replace")
