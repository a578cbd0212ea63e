"""Messages of ReadingService <-> the domain's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from haleganada.v1 import reading_service_pb2 as pb

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.labels import DEFAULT_WORKSPACE
from haleganada_server.core.limits import (
    MAX_ALTERNATIVES,
    MAX_ID_LENGTH,
    MAX_LANGUAGES,
    MAX_LEXICON_WORD_LENGTH,
    MAX_LEXICON_WORDS,
)
from haleganada_server.core.reading.document_work import DocumentRequest, Event, PageFailed, PageRead
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import (
    LineDecoding,
    PreparationStep,
    ReadingOrder,
    ReadMode,
    ReadOptions,
    TextLayer,
)
from haleganada_server.core.reading.page import (
    EngineChoice,
    PageReading,
    Polygon,
    Question,
    TextBlock,
    TextGlyph,
    TextLine,
    TextWord,
)
from haleganada_server.core.reading.page_list import parse_pages
from haleganada_server.core.reading.ports import PageImage, ReadingFile
from haleganada_server.core.reading.reading import ReadingFormat, ReadingInfo
from haleganada_server.rpc import validate
from haleganada_server.rpc.errors import item_error

from .common import timestamp

Value = TypeVar("Value")

_MODES: Mapping[int, ReadMode] = {
    pb.READ_MODE_UNSPECIFIED: ReadMode.AUTO,
    pb.READ_MODE_AUTO: ReadMode.AUTO,
    pb.READ_MODE_PRINTED: ReadMode.PRINTED,
    pb.READ_MODE_HANDWRITTEN: ReadMode.HANDWRITTEN,
    pb.READ_MODE_TAUGHT: ReadMode.TAUGHT,
}
_MODE_NUMBERS = {mode: pb.ReadMode.Value(f"READ_MODE_{mode.name}") for mode in ReadMode}
_STEPS: Mapping[int, PreparationStep] = {
    pb.PreparationStep.Value(f"PREPARATION_STEP_{step.name}"): step for step in PreparationStep
}
_TEXT_LAYERS: Mapping[int, TextLayer] = {
    pb.TEXT_LAYER_UNSPECIFIED: TextLayer.USE,
    pb.TEXT_LAYER_USE: TextLayer.USE,
    pb.TEXT_LAYER_REPLACE: TextLayer.REPLACE,
}
_ORDERS: Mapping[int, ReadingOrder] = {
    pb.READING_ORDER_UNSPECIFIED: ReadingOrder.LEFT_TO_RIGHT,
    **{pb.ReadingOrder.Value(f"READING_ORDER_{order.name}"): order for order in ReadingOrder},
}
_FORMATS: Mapping[int, ReadingFormat] = {
    pb.READING_FORMAT_UNSPECIFIED: ReadingFormat.TEXT,
    **{pb.ReadingFormat.Value(f"READING_FORMAT_{form.name}"): form for form in ReadingFormat},
}


def options(message: pb.ReadOptions) -> ReadOptions:
    """Raises InvalidInput for values that do not exist, or are too long."""
    if len(message.languages) > MAX_LANGUAGES:
        raise InvalidInput(
            "options.languages", f"has {len(message.languages)} items; at most {MAX_LANGUAGES} are allowed"
        )
    for language in message.languages:
        _require_name("options.languages", language)
    return ReadOptions(
        mode=_require_known("options.mode", _MODES, message.mode),
        engine=_require_name("options.engine", message.engine, optional=True),
        languages=tuple(message.languages),
        skipped_steps=frozenset(
            _require_known("options.skipped_steps", _STEPS, step) for step in message.skipped_steps
        ),
        text_layer=_require_known("options.text_layer", _TEXT_LAYERS, message.text_layer),
        segment_only=message.segment_only,
        debug=message.debug,
        workspace=_require_name("options.workspace", message.workspace, optional=True) or DEFAULT_WORKSPACE,
        reading_order=_require_known("options.reading_order", _ORDERS, message.reading_order),
        decoding=_decoding(message),
    )


def _decoding(message: pb.ReadOptions) -> LineDecoding:
    if len(message.lexicon) > MAX_LEXICON_WORDS:
        raise InvalidInput(
            "options.lexicon", f"has {len(message.lexicon):,} words; at most {MAX_LEXICON_WORDS:,} are allowed"
        )
    if any(len(word) > MAX_LEXICON_WORD_LENGTH for word in message.lexicon):
        raise InvalidInput("options.lexicon", f"has a word of more than {MAX_LEXICON_WORD_LENGTH} characters")
    if not 0 <= message.alternatives <= MAX_ALTERNATIVES:
        raise InvalidInput("options.alternatives", f"is {message.alternatives}; name 0 to {MAX_ALTERNATIVES}")
    return LineDecoding(tuple(message.lexicon), message.alternatives)


def document_request(message: pb.DocumentStart, owner: str) -> DocumentRequest:
    """owner: who has it read. Raises InvalidInput."""
    return DocumentRequest(
        document_id=message.document_id,
        file_name=validate.file_name(message.file_name),
        pages=parse_pages(message.pages),
        options=options(message.options),
        keep=message.options.keep,
        owner=owner,
    )


def event(value: Event) -> pb.ReadStreamResponse:
    """Convert what has happened to a document of a stream."""
    if isinstance(value, PageRead):
        read = pb.DocumentPage(document_id=value.document_id, page=page(value.page), pages_total=value.pages_total)
        return pb.ReadStreamResponse(page=read)
    if isinstance(value, PageFailed):
        error = pb.PageError(page=value.page, error=item_error(value.error))
        failed = pb.DocumentPage(document_id=value.document_id, error=error, pages_total=value.pages_total)
        return pb.ReadStreamResponse(page=failed)
    return pb.ReadStreamResponse(
        result=pb.DocumentResult(
            document_id=value.document_id,
            pages_read=value.pages_read,
            pages_failed=value.pages_failed,
            error=item_error(value.error) if value.error else None,
            reading=reading(value.reading) if value.reading else None,
        )
    )


def reading_format(number: pb.ReadingFormat.ValueType) -> ReadingFormat:
    """Raises InvalidInput for a format that does not exist."""
    return _require_known("format", _FORMATS, number)


def page(value: PageReading) -> pb.PageReading:
    return pb.PageReading(
        page=value.page,
        width=value.width,
        height=value.height,
        text=value.text,
        blocks=map(_block, value.blocks),
        turn_degrees=value.turn_degrees,
        skew_degrees=value.skew_degrees,
        elapsed_ms=value.elapsed_ms,
        step_pictures=[pb.StepPicture(step=picture.step, image=picture.image) for picture in value.step_pictures],
        revision=value.revision,
        questions=map(_question, value.questions),
    )


def reading(value: ReadingInfo) -> pb.Reading:
    return pb.Reading(
        reading_id=value.reading_id,
        file_name=value.file_name,
        pages=value.pages,
        pages_total=value.pages_total,
        excerpt=value.excerpt,
        engines=value.engines,
        create_time=timestamp(value.create_us),
        expire_time=None if value.expire_us is None else timestamp(value.expire_us),
        size_bytes=value.size,
        damaged=value.damaged,
        workspace=value.workspace,
    )


def engine(value: EngineInfo) -> pb.Engine:
    return pb.Engine(
        engine=value.engine,
        display_name=value.display_name,
        version=value.version,
        modes=[_MODE_NUMBERS[mode] for mode in value.modes],
        languages=value.languages,
        installed=value.installed,
        install_hint=value.install_hint,
    )


def page_image(value: PageImage) -> pb.GetPageImageResponse:
    return pb.GetPageImageResponse(image=value.image, width=value.width, height=value.height)


def file_header(value: ReadingFile) -> pb.ReadingFileHeader:
    return pb.ReadingFileHeader(file_name=value.file_name, content_type=value.content_type)


def _block(value: TextBlock) -> pb.TextBlock:
    return pb.TextBlock(
        polygon=_polygon(value.polygon),
        lines=map(_line, value.lines),
        choice=None if value.choice is None else _choice(value.choice),
    )


def _choice(value: EngineChoice) -> pb.EngineChoice:
    mode = pb.READ_MODE_UNSPECIFIED if value.mode is None else _MODE_NUMBERS[value.mode]
    return pb.EngineChoice(engine=value.engine, reason=value.reason, mode=mode)


def _line(value: TextLine) -> pb.TextLine:
    return pb.TextLine(
        text=value.text,
        polygon=_polygon(value.polygon),
        confidence=value.confidence,
        words=map(_word, value.words),
        engine=value.engine,
        alternatives=[pb.LineAlternative(text=one.text, probability=one.probability) for one in value.alternatives],
    )


def _word(value: TextWord) -> pb.TextWord:
    return pb.TextWord(
        text=value.text,
        polygon=_polygon(value.polygon),
        confidence=value.confidence,
        glyphs=map(_glyph, value.glyphs),
    )


def _glyph(value: TextGlyph) -> pb.TextGlyph:
    return pb.TextGlyph(
        text=value.text,
        polygon=_polygon(value.polygon),
        confidence=value.confidence,
        candidates=[pb.GlyphCandidate(text=one.text, probability=one.probability) for one in value.candidates],
        glyph_id=value.glyph_id,
        settled=value.is_settled,
    )


def _question(value: Question) -> pb.GlyphQuestion:
    return pb.GlyphQuestion(
        glyph_id=value.glyph_id,
        similar_glyph_ids=value.similar,
        reason=pb.QuestionReason.Value(f"QUESTION_REASON_{value.kind.name}"),
    )


def _polygon(value: Polygon) -> pb.Polygon:
    polygon = pb.Polygon()
    for x, y in value:
        polygon.points.add(x=x, y=y)  # a page has thousands; this takes half the time of messages that are copied
    return polygon


def _require_known(field: str, values: Mapping[int, Value], number: int) -> Value:
    if number not in values:
        raise InvalidInput(field, f"has {number}, which does not exist; see the contract")
    return values[number]


def _require_name(field: str, text: str, *, optional: bool = False) -> str:
    if not text and not optional:
        raise InvalidInput(field, "has an empty name; leave it out")
    if len(text) > MAX_ID_LENGTH or not text.isprintable():
        raise InvalidInput(field, f"is not a name; names are printable and have at most {MAX_ID_LENGTH} characters")
    return text
