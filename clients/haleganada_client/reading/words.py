"""The words that stand for the contract's enums of reading."""

from __future__ import annotations

MODES = ("auto", "printed", "handwritten", "taught")
PREPARATION_STEPS = ("polarity", "turn", "skew", "light", "ruled-lines", "columns")
TEXT_LAYERS = ("use", "replace")
READING_FORMATS = ("text", "json", "hocr", "alto", "page", "pdf", "tsv", "words", "crops", "glyphs")
READING_ORDERS = ("left-to-right", "right-to-left", "columns-from-right", "columns-from-left", "boustrophedon")
