"""A data directory with what was taught, and pictures to work on."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_server.app import open_recognizers
from haleganada_server.config import ServerConfig
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.workspaces.types import Lesson

from tests.e2e.pictures import LINES, picture


def teach_lines(data: Path, workspace: str = "default") -> None:
    """Teach two drawings of each character in a workspace, which is made if need be."""
    recognizers = open_recognizers(ServerConfig(data, device="cpu"))
    if workspace not in recognizers.workspaces.names():
        recognizers.workspaces.create(workspace)
    with recognizers.workspaces.use(workspace) as opened:
        for label, lines in LINES.items():
            for shift in (0, 8):
                opened.train(Lesson(Glyph(image=picture(lines, shift)), label))
    recognizers.close()


def write_pictures(folder: Path, count: int, bad: tuple[int, ...] = ()) -> list[str]:
    """Write numbered pictures, crosses and pluses in turns, and return their labels. bad: those that are none."""
    folder.mkdir()
    names = list(LINES)
    labels = [names[number % len(names)] for number in range(count)]
    for number, label in enumerate(labels):
        content = b"no picture" if number in bad else picture(LINES[label], number % 12)
        (folder / f"{number:04}.png").write_bytes(content)
    return labels


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in whose workspace “default” two characters were taught. Do not change it."""
    data = tmp_path_factory.mktemp("bulk") / "data"
    teach_lines(data)
    return data
