"""From a text and fonts to a model that reads a page, as docs/using/lines.md has it: two commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.training.presets.ppocr_weights import find_ppocr
from PIL import Image

from tests.e2e.processes import ServerProcess, server
from tests.support.line_sets import draw_page

FONTS = Path("/usr/share/fonts/truetype/dejavu")
TEXT = (
    "the lamp stands by an open door and the old sailor tells of storms, of far lands and of salt in the bread.\n" * 3
)
PAGE = ("the old sailor tells", "of storms, of far lands", "and of salt in bread.")


def run(running: ServerProcess, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line, which trains for a minute or more."""
    line = [sys.executable, "-m", "haleganada_client.cli", "--server", running.address, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.slow
def test_a_text_and_fonts_become_a_model_that_reads(tmp_path: Path) -> None:
    find_ppocr()
    pytest.importorskip("rapidocr")
    if not FONTS.exists():
        pytest.skip("the fonts DejaVu are not installed")
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    Image.fromarray(draw_page(PAGE)[0]).save(tmp_path / "page.png")
    with server(tmp_path / "data") as running:
        fit = run(
            running, "fit", "ppocr-v6-small", "--render", tmp_path / "text.txt", "--fonts", FONTS, "--lines", "40",
            "--epochs", "3", "--name", "own", "--no-augment",
        )  # fmt: skip
        assert fit.returncode == 0, fit.stderr
        assert "CER" in fit.stdout + fit.stderr
        read = run(running, "read", tmp_path / "page.png", "--engine", "model:own")
    assert read.returncode == 0, read.stderr
    found = " ".join(read.stdout.split())
    assert measure_characters([ReadLine(" ".join(PAGE), found)]).rate < 0.15, found
