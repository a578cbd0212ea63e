"""Convert messages of the contract's ReadingService to the client's dataclasses, and words to the contract's enums."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from haleganada.v1 import reading_service_pb2 as pb

from haleganada_client.wire import convert
from haleganada_client.wire.arguments import parse_choice, to_list
from haleganada_client.wire.build import build

from . import types
from .words import MODES, PREPARATION_STEPS, READING_FORMATS, READING_ORDERS, TEXT_LAYERS


def _number_words(enum: Any, prefix: str, words: tuple[str, ...]) -> dict[str, Any]:
    """Return the numbers that words stand for in an enum of the contract."""
    return {word: enum.Value(prefix + word.upper().replace("-", "_")) for word in words}


_MODES = _number_words(pb.ReadMode, "READ_MODE_", MODES)
_STEPS = _number_words(pb.PreparationStep, "PREPARATION_STEP_", PREPARATION_STEPS)
_ORDERS = _number_words(pb.ReadingOrder, "READING_ORDER_", READING_ORDERS)
_LAYERS = _number_words(pb.TextLayer, "TEXT_LAYER_", TEXT_LAYERS)
_FORMATS = dict(
    zip(
        READING_FORMATS,
        (
            pb.READING_FORMAT_TEXT,
            pb.READING_FORMAT_JSON,
            pb.READING_FORMAT_HOCR,
            pb.READING_FORMAT_ALTO,
            pb.READING_FORMAT_PAGE_XML,
            pb.READING_FORMAT_PDF,
            pb.READING_FORMAT_TSV,
            pb.READING_FORMAT_WORDS,
            pb.READING_FORMAT_CROPS,
            pb.READING_FORMAT_GLYPHS,
        ),
        strict=True,
    )
)


def build_options(
    *,
    mode: str,
    engine: str,
    languages: Iterable[str],
    skipped_steps: Iterable[str],
    text_layer: str,
    segment_only: bool,
    keep: bool,
    debug: bool,
    workspace: str,
    reading_order: str,
    lexicon: Iterable[str],
    alternatives: int,
) -> pb.ReadOptions:
    """Build the options of HaleganadaClient.read. Raise InvalidInput for a word that means nothing."""
    return build(
        pb.ReadOptions,
        mode=parse_choice(mode, _MODES, "mode"),
        engine=engine,
        languages=to_list(languages, "languages"),
        skipped_steps=[parse_choice(step, _STEPS, "skipped_steps") for step in to_list(skipped_steps, "skipped_steps")],
        text_layer=parse_choice(text_layer, _LAYERS, "text_layer"),
        segment_only=segment_only,
        keep=keep,
        debug=debug,
        workspace=workspace,
        reading_order=parse_choice(reading_order, _ORDERS, "reading_order"),
        lexicon=to_list(lexicon, "lexicon"),
        alternatives=alternatives,
    )


def parse_format(name: str) -> pb.ReadingFormat.ValueType:
    """Raise InvalidInput for a format that does not exist."""
    return parse_choice(name, _FORMATS, "format")


def convert_engine(message: pb.Engine) -> types.Engine:
    return convert.from_message(types.Engine, message, modes=tuple(_mode_word(mode) or "" for mode in message.modes))


def convert_reading(message: pb.Reading) -> types.Reading:
    return convert.from_message(types.Reading, message)


def convert_kept(message: Any) -> types.Reading | None:
    """Convert the field `reading` of a message."""
    return convert_reading(message.reading) if message.HasField("reading") else None


def convert_page(
    message: pb.PageReading, pages_total: int | None = None, kept: types.Reading | None = None
) -> types.PageReading:
    return convert.from_message(
        types.PageReading,
        message,
        blocks=convert.to_tuple(_convert_block, message.blocks),
        step_pictures=convert.to_tuple(lambda made: types.StepPicture(made.step, made.image), message.step_pictures),
        questions=convert.to_tuple(_convert_question, message.questions),
        pages_total=pages_total,
        reading=kept,
    )


def convert_correction(message: pb.CorrectReadingResponse) -> types.ReadingCorrection:
    reading = convert_reading(message.reading)
    return types.ReadingCorrection(
        page=convert_page(message.page, message.reading.pages_total, reading),
        sample_ids=tuple(message.sample_ids),
        changed_glyph_ids=tuple(message.changed_glyph_ids),
        reading=reading,
    )


def convert_evaluation(message: pb.PageEvaluation) -> types.PageEvaluation:
    return convert.from_message(types.PageEvaluation, message)


def _convert_block(message: pb.TextBlock) -> types.TextBlock:
    choice = message.choice
    return types.TextBlock(
        _convert_polygon(message.polygon),
        convert.to_tuple(_convert_line, message.lines),
        types.EngineChoice(choice.engine, choice.reason, _mode_word(choice.mode))
        if message.HasField("choice")
        else None,
    )


def _convert_line(message: pb.TextLine) -> types.TextLine:
    return types.TextLine(
        **_convert_region(message),
        words=convert.to_tuple(_convert_word, message.words),
        engine=message.engine,
        alternatives=tuple(types.LineAlternative(one.text, one.probability) for one in message.alternatives),
    )


def _convert_word(message: pb.TextWord) -> types.TextWord:
    return types.TextWord(**_convert_region(message), glyphs=convert.to_tuple(_convert_glyph, message.glyphs))


def _convert_glyph(message: pb.TextGlyph) -> types.TextGlyph:
    candidates = (types.GlyphCandidate(text=one.text, probability=one.probability) for one in message.candidates)
    return types.TextGlyph(
        **_convert_region(message),
        candidates=tuple(candidates),
        glyph_id=message.glyph_id if message.HasField("glyph_id") else None,
        settled=message.settled,
    )


def _convert_question(message: pb.GlyphQuestion) -> types.GlyphQuestion:
    reason = pb.QuestionReason.Name(message.reason).removeprefix("QUESTION_REASON_").lower()
    return types.GlyphQuestion(message.glyph_id, tuple(message.similar_glyph_ids), reason)


def _convert_region(message: pb.TextLine | pb.TextWord | pb.TextGlyph) -> dict[str, Any]:
    return {
        "text": message.text,
        "polygon": _convert_polygon(message.polygon),
        "confidence": message.confidence if message.HasField("confidence") else None,
    }


def _convert_polygon(message: pb.Polygon) -> tuple[types.Point, ...]:
    """Coordinates have single precision: more than two decimals are noise."""
    return tuple(types.Point(round(point.x, 2), round(point.y, 2)) for point in message.points)


def _mode_word(mode: pb.ReadMode.ValueType) -> str | None:
    return pb.ReadMode.Name(mode).removeprefix("READ_MODE_").lower() if mode else None
