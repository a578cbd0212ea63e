"""Teach drawings, and correct predictions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from haleganada.v1 import ocr_service_pb2 as ocr

from haleganada_client import types
from haleganada_client.calls.dual import dual_method
from haleganada_client.errors import InvalidInput
from haleganada_client.limits import WAIT_LEARNED_MS
from haleganada_client.types import Drawing
from haleganada_client.wire import convert
from haleganada_client.wire.arguments import parse_choice, refuse, refuse_type, to_list
from haleganada_client.wire.build import build
from haleganada_client.wire.drawings import pack_drawing

from .base import BATCH_TIMEOUT_S, Operations, ensure_id


class Teaching(Operations):
    """Teach drawings, and correct predictions."""

    @dual_method
    async def train(
        self,
        drawing: Drawing,
        label: str,
        *,
        variant_of: str = "",
        request_id: str | None = None,
        expected_revision: int | None = None,
        wait_learned_s: float = 0,
        known_drawings: str = "",
        workspace: str | None = None,
    ) -> types.Taught:
        """Teach one drawing; it is on the server's disk when this returns.

        wait_learned_s: how long to wait, 0 to 60 seconds, until the workspace's own network has learned the drawing, if
        it has one; Taught.learned says whether it has. known_drawings: what to do with a drawing that is taught already
        with this label: "" learns it again, "tell" also sets Taught.known_sample_id, "skip" does not learn it.
        """
        request = build(
            ocr.TrainRequest,
            workspace=self._or_default(workspace),
            glyph=await self._connection.offload(pack_drawing, drawing),
            label=label,
            variant_of=variant_of,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
            wait_learned_ms=_to_wait_ms(wait_learned_s),
            known_drawings=parse_choice(known_drawings, convert.KNOWN_DRAWINGS, "known_drawings"),
        )
        timeout_s = self.config.timeout_s + wait_learned_s
        return convert.taught(await self._connection.call(self._ocr.Train, request, timeout_s))

    @dual_method
    async def train_batch(
        self,
        lessons: Sequence[types.Lesson | tuple[Drawing, str, str, str]],
        *,
        known_drawings: str = "",
        batch_id: str = "",
        workspace: str | None = None,
    ) -> list[types.Taught | types.ItemError]:
        """Teach up to 256 drawings of at most 16 MiB in all. A refused one does not lose the others.

        known_drawings: as in train. batch_id: names what the drawings belong to, so that undo takes them back as one,
        also those of several calls.
        """
        items = await self._connection.offload(_pack_lessons, lessons)
        request = build(
            ocr.TrainBatchRequest,
            workspace=self._or_default(workspace),
            items=items,
            known_drawings=parse_choice(known_drawings, convert.KNOWN_DRAWINGS, "known_drawings"),
            batch_id=batch_id,
        )
        answer = await self._connection.call(self._ocr.TrainBatch, request, BATCH_TIMEOUT_S)
        return [convert.batch_item(result, "taught", convert.taught) for result in answer.results]

    @dual_method
    async def correct(
        self,
        prediction_id: str,
        label: str,
        *,
        variant_of: str = "",
        request_id: str | None = None,
        expected_revision: int | None = None,
        workspace: str | None = None,
    ) -> types.Correction:
        """Correct an earlier prediction: teach its drawing with the right label."""
        request = build(
            ocr.CorrectRequest,
            workspace=self._or_default(workspace),
            prediction_id=prediction_id,
            label=label,
            variant_of=variant_of,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
        )
        answer = await self._connection.call(self._ocr.Correct, request)
        return convert.from_message(types.Correction, answer, taught=convert.taught(answer.taught))


def _to_wait_ms(seconds: float) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise refuse_type("wait_learned_s", "a number of seconds", seconds)
    if not WAIT_LEARNED_MS.includes(1000 * seconds):
        raise refuse("wait_learned_s", f"is not from 0 to {WAIT_LEARNED_MS.maximum // 1000}")
    return math.ceil(1000 * seconds)


def _pack_lessons(lessons: Iterable[types.Lesson | tuple[Drawing, str, str, str]]) -> list[ocr.TrainItem]:
    return [_pack_lesson(lesson, f"lessons[{number}]") for number, lesson in enumerate(to_list(lessons, "lessons"))]


def _pack_lesson(lesson: types.Lesson | tuple[Drawing, str, str, str], argument: str) -> ocr.TrainItem:
    try:
        drawing, label, variant_of, request_id, synthetic = types.Lesson(*lesson)
    except TypeError:
        raise refuse_type(argument, "a Lesson, or a drawing and its label", lesson) from None
    try:
        return build(
            ocr.TrainItem,
            glyph=pack_drawing(drawing, synthetic=synthetic),
            label=label,
            variant_of=variant_of,
            request_id=ensure_id(request_id),
        )
    except InvalidInput as error:
        raise type(error)(f"{argument}.{error.message}", error.reason, f"{argument}.{error.field}") from None
