"""A font whose glyphs are empty, so that text can be found and copied without being seen.

Each plane of Unicode (65,536 characters) is a font of its own in the PDF: a character's code is its number within the
plane, and a small ToUnicode table says so. All of them share one TrueType file with a single glyph, half as wide as it
is high.
"""

from __future__ import annotations

import struct

import pikepdf
from pikepdf import Array, Dictionary, Name, String

ADVANCE = 0.5
"""Width of each glyph as a part of the font's size; its height is the whole size, all of it above the base line."""
_UNITS = 1000
_NAME = Name("/GlyphLess")


class GlyphlessFonts:
    """The fonts of one PDF, made when they are first used."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._planes: dict[int, pikepdf.Object] = {}
        self._outlines: pikepdf.Object | None = None

    def font(self, plane: int) -> pikepdf.Object:
        """Return the font for the characters from plane * 65,536 on. plane: 0 to 16."""
        if plane not in self._planes:
            self._planes[plane] = self._pdf.make_indirect(
                Dictionary(
                    Type=Name.Font,
                    Subtype=Name.Type0,
                    BaseFont=_NAME,
                    Encoding=Name("/Identity-H"),
                    DescendantFonts=Array([self._load_outlines()]),
                    ToUnicode=self._pdf.make_stream(_to_unicode(plane)),
                )
            )
        return self._planes[plane]

    def _load_outlines(self) -> pikepdf.Object:
        if self._outlines is None:
            file = _make_truetype()
            descriptor = Dictionary(
                Type=Name.FontDescriptor,
                FontName=_NAME,
                Flags=5,  # symbols of equal width
                FontBBox=Array([0, 0, int(ADVANCE * _UNITS), _UNITS]),
                ItalicAngle=0,
                Ascent=_UNITS,
                Descent=-1,  # programs take 0 for "not given"
                CapHeight=_UNITS,
                StemV=80,
                FontFile2=self._pdf.make_stream(file, Length1=len(file)),
            )
            self._outlines = self._pdf.make_indirect(
                Dictionary(
                    Type=Name.Font,
                    Subtype=Name.CIDFontType2,
                    BaseFont=_NAME,
                    CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
                    FontDescriptor=self._pdf.make_indirect(descriptor),
                    DW=int(ADVANCE * _UNITS),
                    CIDToGIDMap=self._pdf.make_stream(b"\x00\x01" * 65_536),
                )
            )
        return self._outlines


def _to_unicode(plane: int) -> bytes:
    """Return the table that maps each code to the character of that number in the plane."""
    rows = []
    for high in range(256):
        first = (plane << 16) + (high << 8)
        if not 0xD800 <= first < 0xE000:  # halves of surrogate pairs are no characters
            rows.append(f"<{high:02X}00> <{high:02X}FF> <{chr(first).encode('utf-16-be').hex()}>")
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]  # the most that a block may have
    ranges = "".join("\n".join([f"{len(block)} beginbfrange", *block, "endbfrange\n"]) for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{ranges}"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode()


def _make_truetype() -> bytes:
    """Return a TrueType file of two glyphs. The second has two points, at the corners of its box, and so an extent
    without an area: programs tell where it is, and none can paint it.
    """
    width = int(ADVANCE * _UNITS)
    glyph = struct.pack(">hhhhh", 1, 0, 0, width, _UNITS)  # one contour, and its box
    glyph += struct.pack(">HH2B4h", 1, 0, 1, 1, 0, width, 0, _UNITS)  # ends at point 1; no program; two points
    glyph += b"\0" * (-len(glyph) % 4)
    tables = {
        b"glyf": glyph,
        b"head": struct.pack(
            ">LLLLHHqqhhhhHHhhh",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 0x000B, _UNITS, 0, 0, 0, 0, width, _UNITS, 0, 8, 2, 1, 0),
        ),
        b"hhea": struct.pack(">LhhhHhhhhhhhhhhhH", 0x10000, _UNITS, 0, 0, width, 0, 0, width, 1, *[0] * 7, 2),
        b"hmtx": struct.pack(">HhHh", width, 0, width, 0),
        b"loca": struct.pack(">LLL", 0, 0, len(glyph)),
        b"maxp": struct.pack(">LHHHHHHHHHHHHHH", 0x10000, 2, 2, 1, 0, 0, 1, *[0] * 8),
    }
    directory = struct.pack(">LHHHH", 0x10000, len(tables), 64, 2, len(tables) * 16 - 64)
    data = b""
    for tag, table in tables.items():
        padded = table + b"\0" * (-len(table) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
        directory += tag + struct.pack(">LLL", checksum, 12 + 16 * len(tables) + len(data), len(table))
        data += padded
    return directory + data
