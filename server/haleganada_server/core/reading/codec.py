"""Pages and options as JSON: between the server and its readers, on disk, and for users as READING_FORMAT_JSON.

The names of the fields are those of the contract. A value that is unknown is left out.
"""

from __future__ import annotations

from typing import Any

from .engines import EngineInfo
from .options import LineDecoding, PreparationStep, ReadingOrder, ReadMode, ReadOptions, TextLayer
from .page import (
    EngineChoice,
    GlyphCandidate,
    LineAlternative,
    PageReading,
    Polygon,
    TextBlock,
    TextGlyph,
    TextLine,
    TextWord,
)

Json = dict[str, Any]


def page_to_json(page: PageReading) -> Json:
    """Return a page without its step pictures."""
    return _drop_unknown(
        page=page.page,
        width=page.width,
        height=page.height,
        text=page.text,
        turn_degrees=page.turn_degrees,
        skew_degrees=page.skew_degrees,
        elapsed_ms=round(page.elapsed_ms, 1),
        revision=page.revision or None,
        blocks=[_block_to_json(block) for block in page.blocks],
    )


def page_from_json(fields: Json) -> PageReading:
    """Raises KeyError, TypeError or ValueError for what page_to_json does not write."""
    turn, skew = fields.get("turn_degrees"), fields.get("skew_degrees")
    return PageReading(
        page=int(fields["page"]),
        width=int(fields["width"]),
        height=int(fields["height"]),
        blocks=tuple(_block_from_json(block) for block in fields["blocks"]),
        turn_degrees=None if turn is None else int(turn),
        skew_degrees=None if skew is None else float(skew),
        elapsed_ms=float(fields["elapsed_ms"]),
        revision=int(fields.get("revision", 0)),
    )


def options_to_json(options: ReadOptions) -> Json:
    return {
        "mode": options.mode.value,
        "engine": options.engine,
        "languages": list(options.languages),
        "skipped_steps": sorted(step.value for step in options.skipped_steps),
        "text_layer": options.text_layer.value,
        "segment_only": options.segment_only,
        "debug": options.debug,
        "workspace": options.workspace,
        "model_folder": options.model_folder,
        "reading_order": options.reading_order.value,
        "lexicon": list(options.decoding.lexicon),
        "alternatives": options.decoding.alternatives,
    }


def options_from_json(fields: Json) -> ReadOptions:
    """Raises KeyError, TypeError or ValueError for what options_to_json does not write."""
    return ReadOptions(
        mode=ReadMode(fields["mode"]),
        engine=str(fields["engine"]),
        languages=tuple(str(language) for language in fields["languages"]),
        skipped_steps=frozenset(PreparationStep(step) for step in fields["skipped_steps"]),
        text_layer=TextLayer(fields["text_layer"]),
        segment_only=bool(fields["segment_only"]),
        debug=bool(fields["debug"]),
        workspace=str(fields["workspace"]),
        model_folder=str(fields["model_folder"]),
        reading_order=ReadingOrder(fields["reading_order"]),
        decoding=LineDecoding(tuple(str(word) for word in fields["lexicon"]), int(fields["alternatives"])),
    )


def engine_to_json(engine: EngineInfo) -> Json:
    return {
        "engine": engine.engine,
        "display_name": engine.display_name,
        "version": engine.version,
        "modes": [mode.value for mode in engine.modes],
        "languages": list(engine.languages),
        "installed": engine.installed,
        "install_hint": engine.install_hint,
    }


def engine_from_json(fields: Json) -> EngineInfo:
    """Raises KeyError, TypeError or ValueError for what engine_to_json does not write."""
    return EngineInfo(
        engine=str(fields["engine"]),
        display_name=str(fields["display_name"]),
        version=str(fields["version"]),
        modes=tuple(ReadMode(mode) for mode in fields["modes"]),
        languages=tuple(str(language) for language in fields["languages"]),
        installed=bool(fields["installed"]),
        install_hint=str(fields["install_hint"]),
    )


def _block_to_json(block: TextBlock) -> Json:
    choice = block.choice
    return _drop_unknown(
        polygon=_polygon_to_json(block.polygon),
        choice=choice
        and _drop_unknown(engine=choice.engine, reason=choice.reason, mode=choice.mode and choice.mode.value),
        lines=[_line_to_json(line) for line in block.lines],
    )


def _block_from_json(fields: Json) -> TextBlock:
    choice = fields.get("choice")
    return TextBlock(
        polygon=_polygon_from_json(fields["polygon"]),
        lines=tuple(_line_from_json(line) for line in fields["lines"]),
        choice=choice
        and EngineChoice(
            engine=str(choice["engine"]),
            reason=str(choice["reason"]),
            mode=ReadMode(choice["mode"]) if "mode" in choice else None,
        ),
    )


def _line_to_json(line: TextLine) -> Json:
    alternatives = [{"text": one.text, "probability": round(one.probability, 4)} for one in line.alternatives]
    words = [_word_to_json(word) for word in line.words]
    return _drop_unknown(**_text_to_json(line), engine=line.engine, words=words, alternatives=alternatives or None)


def _line_from_json(fields: Json) -> TextLine:
    words = tuple(_word_from_json(word) for word in fields["words"])
    alternatives = tuple(
        LineAlternative(str(one["text"]), float(one["probability"])) for one in fields.get("alternatives", ())
    )
    return TextLine(**_text_from_json(fields), words=words, engine=str(fields["engine"]), alternatives=alternatives)


def _word_to_json(word: TextWord) -> Json:
    return _drop_unknown(**_text_to_json(word), glyphs=[_glyph_to_json(glyph) for glyph in word.glyphs])


def _word_from_json(fields: Json) -> TextWord:
    return TextWord(**_text_from_json(fields), glyphs=tuple(_glyph_from_json(glyph) for glyph in fields["glyphs"]))


def _glyph_to_json(glyph: TextGlyph) -> Json:
    candidates = [{"text": one.text, "probability": round(one.probability, 4)} for one in glyph.candidates]
    return _drop_unknown(
        **_text_to_json(glyph),
        candidates=candidates or None,
        glyph_id=glyph.glyph_id,
        is_settled=glyph.is_settled or None,
    )


def _glyph_from_json(fields: Json) -> TextGlyph:
    candidates = tuple(
        GlyphCandidate(text=str(one["text"]), probability=float(one["probability"]))
        for one in fields.get("candidates", ())
    )
    glyph_id = fields.get("glyph_id")
    return TextGlyph(
        **_text_from_json(fields),
        candidates=candidates,
        glyph_id=None if glyph_id is None else int(glyph_id),
        is_settled=bool(fields.get("is_settled", False)),
    )


def _text_to_json(part: TextLine | TextWord | TextGlyph) -> Json:
    return {"text": part.text, "polygon": _polygon_to_json(part.polygon), "confidence": part.confidence}


def _text_from_json(fields: Json) -> Json:
    confidence = fields.get("confidence")
    return {
        "text": str(fields["text"]),
        "polygon": _polygon_from_json(fields["polygon"]),
        "confidence": None if confidence is None else float(confidence),
    }


def _polygon_to_json(polygon: Polygon) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in polygon]


def _polygon_from_json(points: list[list[float]]) -> Polygon:
    return tuple((float(x), float(y)) for x, y in points)


def _drop_unknown(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
