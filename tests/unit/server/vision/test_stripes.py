"""Large pictures are converted in stripes: the raster is the same to the last bit, and memory is bounded."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import rasterize
from haleganada_server.vision.images import stripes
from haleganada_server.vision.ink import pen

from tests.contract.drawings import blank
from tests.unit.server.vision.cases import PICTURES

MEASURE = """
import io, resource
from PIL import Image, ImageDraw
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import rasterize

image = Image.new({mode!r}, (4000, 4000), {paper!r})
ImageDraw.Draw(image).line([(800, 800), (2800, 3200), (3200, 1200)], {ink!r}, 200)
file = io.BytesIO()
image.save(file, "PNG", compress_level=1)
size = image.width * image.height
del image
before = open("/proc/self/statm").read().split()[1]
open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew
rasterize(Glyph(image=file.getvalue()))
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1]
print((int(peak) * 1024 - int(before) * resource.getpagesize()) / size)
"""


@pytest.mark.parametrize("name", PICTURES)
def test_the_height_of_the_stripes_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = PICTURES[name]()
    expected = rasterize(picture)
    for pixels in (1, 1000, 12345):
        monkeypatch.setattr(stripes, "_STRIPE", pixels)
        monkeypatch.setattr(pen, "_STRIPE", pixels)
        assert np.array_equal(rasterize(picture), expected), pixels


def test_a_picture_that_is_refused_is_refused_in_stripes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripes, "_STRIPE", 1000)
    with pytest.raises(InvalidInput, match="no drawing"):
        rasterize(Glyph(image=blank()))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize(
    ("mode", "paper", "ink", "most"),
    [("1", 1, 0, 3.5), ("L", 255, 0, 3.5), ("RGB", (255,) * 3, (0,) * 3, 6.4), ("RGBA", (0,) * 4, (0, 0, 0, 255), 6.4)],
)
def test_a_large_picture_takes_few_bytes_for_each_pixel(mode: str, paper: object, ink: object, most: float) -> None:
    """As decoded, and as gray or ink: no copies of the whole picture in between. It was 5 and 7."""
    script = MEASURE.format(mode=mode, paper=paper, ink=ink)
    measured = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(measured.stdout) < most
