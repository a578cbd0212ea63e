"""Write golden/ again after an intended change of the rasters: python -m tests.unit.server.vision.make_golden

Look at each picture before it is committed.
"""

from __future__ import annotations

from pathlib import Path

from haleganada_server.vision import raster_to_png, rasterize

from tests.unit.server.vision.cases import CASES

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, glyph in CASES.items():
        (GOLDEN / f"{name}.png").write_bytes(raster_to_png(rasterize(glyph())))


if __name__ == "__main__":
    main()
