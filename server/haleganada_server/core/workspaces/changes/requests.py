"""Idempotent requests: a change is carried out at most once for each request_id, and a repetition gets the first
answer.

The first answer is stored as JSON in the log's event, so that a repetition is recognized after a restart too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, RevisionMismatch
from haleganada_server.core.sample_log.rows import ChangeKind, Event

from ..types import Corrected, Linked, Sample, SampleChange, Taught, Undone, Unlinked
from .draft import Draft

_BATCH_ID = "batch_id"
Answer = TypeVar("Answer", Taught, Corrected, Linked, Unlinked, Undone, SampleChange)


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for a change, and how to recognize its repetition. payload: what must be equal in a repetition.
    batch_id: the changes that can be undone as one, "" = this one alone.
    """

    request_id: str = ""
    expected_revision: int | None = None
    client: Caller = LOCAL_CALLER
    payload: tuple[str | bytes, ...] = ()
    batch_id: str = ""

    def payload_hash(self) -> bytes:
        """Return the SHA-256 of all parts and their lengths; b"" without a request_id, when nobody will compare it."""
        if not self.request_id:
            return b""
        digest = hashlib.sha256()
        for part in self.payload:
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.digest()


def apply_once(
    request: Request, answer_type: type[Answer], change: Callable[[Draft], Answer]
) -> Callable[[Draft], Answer]:
    """Wrap a change so that a repeated request_id returns the first answer with duplicate = True.

    The wrapped change raises AlreadyExists for another payload under the same request_id, and RevisionMismatch if
    expected_revision is not met.
    """

    def apply(draft: Draft) -> Answer:
        earlier = draft.log.find_event(request.request_id) if request.request_id else None
        if earlier is not None:
            if earlier.payload_hash != request.payload_hash():
                raise AlreadyExists(
                    "this request_id was used before for another request; choose a new one", Reason.REQUEST_ID_REUSED
                )
            return _mark_duplicate(_decode_answer(answer_type, earlier.answer))
        if request.expected_revision is not None and request.expected_revision != draft.revision:
            raise RevisionMismatch(request.expected_revision, draft.revision)
        return change(draft)

    return apply


def find_any_request(request_ids: Sequence[str]) -> Callable[[Draft], bool]:
    """Return whether one of these requests was carried out before. Changes nothing."""
    return lambda draft: any(draft.log.find_event(request_id) is not None for request_id in request_ids)


def make_event(kind: ChangeKind, request: Request, answer: Any, **facts: Any) -> Event:
    """Return the event that records a change. answer: what the caller gets, for repetitions. facts: fields of Event.

    The batch_id is stored beside the answer.
    """
    batch = {_BATCH_ID: request.batch_id} if request.batch_id else {}
    needed = request.request_id or batch
    stored = _encode(_list_fields(answer) | batch) if needed else ""
    return Event(
        kind,
        now_us(),
        request_id=request.request_id,
        payload_hash=request.payload_hash(),
        client=str(request.client),
        answer=stored,
        **facts,
    )


def read_batch_id(event: Event) -> str:
    """Return the batch that a change belongs to; "" if it is alone."""
    batch_id: str = json.loads(event.answer).get(_BATCH_ID, "") if event.answer else ""
    return batch_id


def _list_fields(answer: Any) -> dict[str, Any]:
    """Return the fields of an answer. dataclasses.asdict copies their values too, which takes ten times as long."""
    return {field.name: getattr(answer, field.name) for field in fields(answer)}


def _to_json(value: Any) -> Any:
    """Return what JSON stores for the types that it lacks: a change's kind, an answer within another, and a picture,
    which is empty here.
    """
    if isinstance(value, ChangeKind):
        return value.value
    return _list_fields(value) if is_dataclass(value) else ""


_encode = json.JSONEncoder(ensure_ascii=False, default=_to_json).encode


def _decode_answer(answer_type: type[Answer], text: str) -> Answer:
    facts = json.loads(text)
    facts.pop(_BATCH_ID, None)
    if "forms" in facts:
        facts["forms"] = tuple(facts["forms"])
    if "kind" in facts:
        facts["kind"] = ChangeKind(facts["kind"])
    if "taught" in facts:
        facts["taught"] = Taught(**facts["taught"])
    if facts.get("sample"):
        facts["sample"] = Sample(**{**facts["sample"], "picture": b""})
    return answer_type(**facts)


def _mark_duplicate(answer: Answer) -> Answer:
    if isinstance(answer, Corrected):
        return replace(answer, taught=replace(answer.taught, duplicate=True))
    return replace(answer, duplicate=True)
