"""The changes that a workspace's log can hold, each applied to an open transaction and to a draft of the head.

Every change first checks everything that can be wrong with it and only then writes, so that a refused one leaves no
trace in the transaction that it shares with others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, NotFound, Precondition, RevisionMismatch
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow

from .draft import Draft
from .types import Corrected, Linked, Sample, SampleChange, Taught, Undone, Unlinked

Answer = TypeVar("Answer", Taught, Corrected, Linked, Unlinked, Undone, SampleChange)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks for a change, and what makes a repetition of it recognisable. payload: what a repetition must be
    equal in.
    """

    request_id: str = ""
    expected_revision: int | None = None
    client: str = ""
    payload: tuple[str | bytes, ...] = ()

    def payload_hash(self) -> bytes:
        """SHA-256 over all parts and their lengths; b"" without a request_id, where nobody will compare it."""
        if not self.request_id:
            return b""
        digest = hashlib.sha256()
        for part in self.payload:
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.digest()


def once(origin: Origin, answer_type: type[Answer], change: Callable[[Draft], Answer]) -> Callable[[Draft], Answer]:
    """`change`, carried out at most once for each request_id; repetitions get the first answer with duplicate = True.

    The change raises AlreadyExists for another payload under the same request_id, RevisionMismatch if
    expected_revision is not met.
    """

    def apply(draft: Draft) -> Answer:
        earlier = draft.log.answered(origin.request_id) if origin.request_id else None
        if earlier is not None:
            if earlier.payload_hash != origin.payload_hash():
                raise AlreadyExists(
                    "this request_id was used before for another request; choose a new one", Reason.REQUEST_ID_REUSED
                )
            return _repeated(_decode(answer_type, earlier.answer))
        if origin.expected_revision is not None and origin.expected_revision != draft.revision:
            raise RevisionMismatch(origin.expected_revision, draft.revision)
        return change(draft)

    return apply


@dataclass(frozen=True, slots=True)
class Past:
    """What was known of a sample when it was first taught, elsewhere or before; fields as in SampleRow."""

    time_us: int
    loss: float
    predicted: str
    new_label: bool
    correction: bool


@dataclass(frozen=True, slots=True)
class NewSample:
    """A drawing that is ready to be learned. stored: glyph_kind and bytes, as in SampleRow.

    corrects: the first guess ("" = unknown) and revision of the prediction that it corrects. past: what an import
    knows of it.
    """

    label: str
    variant_of: str
    stored: tuple[str, bytes]
    embedding: NDArray[np.float32]
    embedder_hash: str
    corrects: tuple[str, int] | None = None
    past: Past | None = None


def teach(new: NewSample, origin: Origin) -> Callable[[Draft], Taught]:
    """Learn a drawing; with variant_of also link its label."""

    def change(draft: Draft) -> Taught:
        taught = _learn(draft, new)
        _record(draft, ChangeKind.TEACH, new, origin, taught, taught)
        return taught

    return once(origin, Taught, change)


def _learn(draft: Draft, new: NewSample) -> Taught:
    """Store and count in a drawing, and link its label if that is asked for. The caller appends the event."""
    if new.variant_of:
        draft.variants.resolve(new.label, new.variant_of)  # refuse before anything is written
    vector = draft.head_parameters.projection.project_one(new.embedding)
    sample = _sample_row(draft, new, new.past or _prequential(draft, new, vector))
    draft.log.add_sample(sample)
    draft.add(sample, vector)
    canonical = (
        draft.variants.resolve(new.label, new.variant_of) if new.variant_of else draft.variants.canonical(new.label)
    )
    return Taught(
        sample.sample_id, sample.loss, new.label, canonical, draft.labels_known, draft.samples_total, sample.revision
    )


def _record(
    draft: Draft, kind: ChangeKind, new: NewSample, origin: Origin, answer: Taught | Corrected, taught: Taught
) -> None:
    """Link the label if that is new, and append the event, which names a canonical label only if it made the link."""
    linked = "" if draft.variants.canonical(new.label) == taught.trained_as else taught.trained_as
    if linked:
        draft.link(new.label, linked)
    draft.append(_event(kind, origin, answer, sample_id=taught.sample_id, label=new.label, canonical=linked))


def _sample_row(draft: Draft, new: NewSample, past: Past) -> SampleRow:
    """The row to store."""
    guessed_at = new.corrects[1] if new.corrects else 0
    return SampleRow(
        draft.log.next_sample_id(),
        new.label,
        *new.stored,
        new.embedding,
        new.embedder_hash,
        past.loss,
        past.predicted,
        past.new_label,
        past.correction,
        guessed_at,
        past.time_us,
        draft.revision + 1,
    )


def _prequential(draft: Draft, new: NewSample, vector: NDArray[np.float64]) -> Past:
    """Test first, then train: what the head makes of the sample before it learns it."""
    posterior = compute_posterior(draft.head.freeze(), draft.head_parameters.calibration, vector)
    predicted = new.corrects[0] if new.corrects else posterior.top_label()
    return Past(now_us(), posterior.loss(new.label), predicted, not draft.knows(new.label), new.corrects is not None)


def correct(find: Callable[[], NewSample], origin: Origin) -> Callable[[Draft], Corrected]:
    """Learn the drawing of an earlier prediction. find: looks it up, with `corrects` set; may raise NotFound.

    It is only called if the request was not answered before, so that a repeated correction succeeds even after the
    server has forgotten the prediction.
    """

    def change(draft: Draft) -> Corrected:
        new = find()
        predicted, revision = new.corrects or ("", 0)
        taught = _learn(draft, new)
        answer = Corrected(taught, predicted, revision)
        _record(draft, ChangeKind.CORRECT, new, origin, answer, taught)
        return answer

    return once(origin, Corrected, change)


def relabel(sample_id: int, label: str, origin: Origin) -> Callable[[Draft], SampleChange]:
    """Give a live sample another label. With the one that it has, nothing changes, so there is nothing to undo."""

    def change(draft: Draft) -> SampleChange:
        before = draft.live_sample(sample_id)
        if before.label == label:
            return SampleChange(public_sample(before, draft.variants), draft.revision)
        after = replace(before, label=label)
        draft.log.set_label(sample_id, label)
        draft.remove(before)
        draft.add(after)
        answer = SampleChange(public_sample(after, draft.variants), draft.revision + 1)
        draft.append(
            _event(ChangeKind.RELABEL, origin, answer, sample_id=sample_id, label=label, previous=before.label)
        )
        return answer

    return once(origin, SampleChange, change)


def forget(sample_id: int, origin: Origin) -> Callable[[Draft], SampleChange]:
    """Take a live sample out of what the workspace knows."""

    def change(draft: Draft) -> SampleChange:
        sample = draft.live_sample(sample_id)
        draft.log.set_forgotten(sample_id, True)
        draft.remove(sample)
        answer = SampleChange(None, draft.revision + 1)
        draft.append(_event(ChangeKind.FORGET, origin, answer, sample_id=sample_id, label=sample.label))
        return answer

    return once(origin, SampleChange, change)


def link(form: str, canonical: str, origin: Origin) -> Callable[[Draft], Linked]:
    """Let a form stand for a canonical label."""

    def change(draft: Draft) -> Linked:
        target = draft.variants.resolve(form, canonical)
        previous = draft.variants.canonical_of.get(form, "")
        draft.link(form, target)
        answer = Linked(target, draft.variants.forms(target), draft.revision + 1)
        draft.append(_event(ChangeKind.LINK, origin, answer, label=form, canonical=target, previous=previous))
        return answer

    return once(origin, Linked, change)


def unlink(form: str, origin: Origin) -> Callable[[Draft], Unlinked]:
    """Let a form stand for itself again."""

    def change(draft: Draft) -> Unlinked:
        former = draft.variants.canonical_of.get(form)
        if former is None:
            raise Precondition(
                f"“{form}” is not a form of another label; there is nothing to unlink", Reason.NOT_LINKED
            )
        draft.link(form, "")
        answer = Unlinked(former, draft.revision + 1)
        draft.append(_event(ChangeKind.UNLINK, origin, answer, label=form, previous=former))
        return answer

    return once(origin, Unlinked, change)


def undo(origin: Origin) -> Callable[[Draft], Undone]:
    """Take the newest change back that was not taken back yet."""

    def change(draft: Draft) -> Undone:
        last = draft.log.last_change()
        if last is None:
            raise Precondition(
                "there is nothing to undo: nothing was taught or changed since this workspace was made, reset or "
                "restored; former states are among its snapshots",
                Reason.NOTHING_TO_UNDO,
            )
        _REVERSE[last.kind](draft, last)
        answer = Undone(last.kind, last.revision, last.sample_id, last.label, draft.revision + 1)
        event = _event(
            ChangeKind.UNDO, origin, answer, sample_id=last.sample_id, label=last.label, target=last.revision
        )
        draft.log.mark_undone(last.revision, draft.append(event))
        return answer

    return once(origin, Undone, change)


def _untaught(draft: Draft, event: Event) -> None:
    draft.remove(draft.live_sample(event.sample_id))
    draft.log.set_forgotten(event.sample_id, True)
    if event.canonical:
        draft.link(event.label, event.previous)


def _remembered(draft: Draft, event: Event) -> None:
    sample = draft.log.sample(event.sample_id, forgotten=True)
    if sample is None:
        raise NotFound("sample", str(event.sample_id))
    draft.log.set_forgotten(event.sample_id, False)
    draft.add(sample)


def _relabeled_back(draft: Draft, event: Event) -> None:
    sample = draft.live_sample(event.sample_id)
    draft.log.set_label(event.sample_id, event.previous)
    draft.remove(sample)
    draft.add(replace(sample, label=event.previous))


def _linked_back(draft: Draft, event: Event) -> None:
    draft.link(event.label, event.previous)


_REVERSE: dict[ChangeKind, Callable[[Draft, Event], None]] = {
    ChangeKind.TEACH: _untaught,
    ChangeKind.CORRECT: _untaught,
    ChangeKind.FORGET: _remembered,
    ChangeKind.RELABEL: _relabeled_back,
    ChangeKind.LINK: _linked_back,
    ChangeKind.UNLINK: _linked_back,
}


def public_sample(row: SampleRow, variants: Variants, picture: bytes = b"") -> Sample:
    """A stored sample as a caller sees it."""
    return Sample(
        row.sample_id,
        row.label,
        variants.canonical(row.label),
        row.loss,
        row.time_us,
        row.revision,
        row.predicted,
        row.correction,
        picture,
    )


def _event(kind: ChangeKind, origin: Origin, answer: Any, **facts: Any) -> Event:
    stored = json.dumps(asdict(answer), ensure_ascii=False, default=_plain) if origin.request_id else ""
    return Event(kind, now_us(), origin.request_id, origin.payload_hash(), origin.client, answer=stored, **facts)


def _plain(value: Any) -> Any:
    """What JSON has no word for, in answers: the kind of a change, and a picture, which is always empty there."""
    return value.value if isinstance(value, ChangeKind) else ""


def _decode(answer_type: type[Answer], text: str) -> Answer:
    facts = json.loads(text)
    if "forms" in facts:
        facts["forms"] = tuple(facts["forms"])
    if "kind" in facts:
        facts["kind"] = ChangeKind(facts["kind"])
    if "taught" in facts:
        facts["taught"] = Taught(**facts["taught"])
    if facts.get("sample"):
        facts["sample"] = Sample(**{**facts["sample"], "picture": b""})
    return answer_type(**facts)


def _repeated(answer: Answer) -> Answer:
    """The same answer, marked as given before."""
    if isinstance(answer, Corrected):
        return replace(answer, taught=replace(answer.taught, duplicate=True))
    return replace(answer, duplicate=True)
