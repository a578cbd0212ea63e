"""The changes that a workspace's log can hold. Each is a function of a draft: the open transaction and the head so far.

A change first checks everything that can be wrong with it and only then writes, so that a refused one leaves no trace
in the transaction that it shares with others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound, Precondition
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow

from .draft import Draft
from .requests import Request, apply_once, make_event
from .types import Corrected, Linked, Sample, SampleChange, Taught, Undone, Unlinked


@dataclass(frozen=True, slots=True, kw_only=True)
class Prequential:
    """What the head predicted for a sample before it learned it (test, then train); fields as in SampleRow."""

    time_us: int
    loss: float
    predicted: str
    new_label: bool
    correction: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSample:
    """A drawing that is ready to be learned. stored: glyph_kind and bytes, as in SampleRow.

    corrects: the first candidate ("" = unknown) and the revision of the prediction that it corrects. prequential: as
    recorded in an imported file; None = found when the sample is learned.
    """

    label: str
    variant_of: str
    stored: tuple[str, bytes]
    embedding: NDArray[np.float32]
    embedder_hash: str
    corrects: tuple[str, int] | None = None
    prequential: Prequential | None = None


def teach(new: NewSample, request: Request) -> Callable[[Draft], Taught]:
    """Learn a drawing; with variant_of also link its label."""

    def change(draft: Draft) -> Taught:
        taught = _add_sample(draft, new)
        _append_event(draft, ChangeKind.TEACH, new, request, taught, taught)
        return taught

    return apply_once(request, Taught, change)


def correct(find: Callable[[], NewSample], request: Request) -> Callable[[Draft], Corrected]:
    """Learn the drawing of an earlier prediction. find: returns it with `corrects` set; may raise NotFound.

    find is only called for a new request, so that a repeated correction succeeds even after the server has forgotten
    the prediction.
    """

    def change(draft: Draft) -> Corrected:
        new = find()
        predicted, revision = new.corrects or ("", 0)
        taught = _add_sample(draft, new)
        answer = Corrected(taught, predicted, revision)
        _append_event(draft, ChangeKind.CORRECT, new, request, answer, taught)
        return answer

    return apply_once(request, Corrected, change)


def _add_sample(draft: Draft, new: NewSample) -> Taught:
    """Store a drawing and count it in. The caller links its label and appends the event."""
    if new.variant_of:
        draft.variants.resolve(new.label, new.variant_of)  # raises before anything is written
    vector = draft.head_parameters.projection.project_one(new.embedding)
    sample = _to_row(draft, new, new.prequential or _predict_before_learning(draft, new, vector))
    draft.log.add_sample(sample)
    draft.add(sample, vector)
    canonical = (
        draft.variants.resolve(new.label, new.variant_of) if new.variant_of else draft.variants.canonical(new.label)
    )
    return Taught(
        sample_id=sample.sample_id,
        loss=sample.loss,
        label=new.label,
        trained_as=canonical,
        labels_known=draft.labels_known,
        samples_total=draft.samples_total,
        revision=sample.revision,
    )


def _append_event(
    draft: Draft, kind: ChangeKind, new: NewSample, request: Request, answer: Taught | Corrected, taught: Taught
) -> None:
    """Link the label if that is new, and append the event, which names a canonical label only if it made the link."""
    linked = "" if draft.variants.canonical(new.label) == taught.trained_as else taught.trained_as
    if linked:
        draft.link(new.label, linked)
    draft.append(make_event(kind, request, answer, sample_id=taught.sample_id, label=new.label, canonical=linked))


def _to_row(draft: Draft, new: NewSample, prequential: Prequential) -> SampleRow:
    glyph_kind, glyph = new.stored
    return SampleRow(
        sample_id=draft.log.next_sample_id(),
        label=new.label,
        glyph_kind=glyph_kind,
        glyph=glyph,
        embedding=new.embedding,
        embedder_hash=new.embedder_hash,
        loss=prequential.loss,
        predicted=prequential.predicted,
        new_label=prequential.new_label,
        correction=prequential.correction,
        predicted_revision=new.corrects[1] if new.corrects else 0,
        time_us=prequential.time_us,
        revision=draft.revision + 1,
    )


def _predict_before_learning(draft: Draft, new: NewSample, vector: NDArray[np.float64]) -> Prequential:
    posterior = compute_posterior(draft.head.freeze(), draft.head_parameters.calibration, vector)
    return Prequential(
        time_us=now_us(),
        loss=posterior.loss(new.label),
        predicted=new.corrects[0] if new.corrects else posterior.top_label(),
        new_label=not draft.has_label(new.label),
        correction=new.corrects is not None,
    )


def relabel(sample_id: int, label: str, request: Request) -> Callable[[Draft], SampleChange]:
    """Give a live sample another label. With the label that it has, nothing changes and there is nothing to undo."""

    def change(draft: Draft) -> SampleChange:
        before = draft.require_sample(sample_id)
        if before.label == label:
            return SampleChange(to_public_sample(before, draft.variants), draft.revision)
        after = replace(before, label=label)
        draft.log.set_label(sample_id, label)
        draft.remove(before)
        draft.add(after)
        answer = SampleChange(to_public_sample(after, draft.variants), draft.revision + 1)
        draft.append(
            make_event(ChangeKind.RELABEL, request, answer, sample_id=sample_id, label=label, previous=before.label)
        )
        return answer

    return apply_once(request, SampleChange, change)


def forget(sample_id: int, request: Request) -> Callable[[Draft], SampleChange]:
    """Forget a live sample."""

    def change(draft: Draft) -> SampleChange:
        sample = draft.require_sample(sample_id)
        draft.log.set_forgotten(sample_id, True)
        draft.remove(sample)
        answer = SampleChange(None, draft.revision + 1)
        draft.append(make_event(ChangeKind.FORGET, request, answer, sample_id=sample_id, label=sample.label))
        return answer

    return apply_once(request, SampleChange, change)


def link(form: str, canonical: str, request: Request) -> Callable[[Draft], Linked]:
    """Let a form stand for a canonical label."""

    def change(draft: Draft) -> Linked:
        target = draft.variants.resolve(form, canonical)
        previous = draft.variants.canonical_of.get(form, "")
        draft.link(form, target)
        answer = Linked(target, draft.variants.forms(target), draft.revision + 1)
        draft.append(make_event(ChangeKind.LINK, request, answer, label=form, canonical=target, previous=previous))
        return answer

    return apply_once(request, Linked, change)


def unlink(form: str, request: Request) -> Callable[[Draft], Unlinked]:
    """Let a form stand for itself again."""

    def change(draft: Draft) -> Unlinked:
        former = draft.variants.canonical_of.get(form)
        if former is None:
            raise Precondition(
                f"“{form}” is not a form of another label; there is nothing to unlink", Reason.NOT_LINKED
            )
        draft.link(form, "")
        answer = Unlinked(former, draft.revision + 1)
        draft.append(make_event(ChangeKind.UNLINK, request, answer, label=form, previous=former))
        return answer

    return apply_once(request, Unlinked, change)


def undo(request: Request) -> Callable[[Draft], Undone]:
    """Undo the newest change that was not undone yet."""

    def change(draft: Draft) -> Undone:
        last = draft.log.last_change()
        if last is None:
            raise Precondition(
                "there is nothing to undo: nothing was taught or changed since this workspace was created, reset or "
                "restored; earlier states are among its snapshots",
                Reason.NOTHING_TO_UNDO,
            )
        _UNDO[last.kind](draft, last)
        answer = Undone(
            kind=last.kind,
            undone_revision=last.revision,
            sample_id=last.sample_id,
            label=last.label,
            revision=draft.revision + 1,
        )
        event = make_event(
            ChangeKind.UNDO, request, answer, sample_id=last.sample_id, label=last.label, target=last.revision
        )
        draft.log.mark_undone(last.revision, draft.append(event))
        return answer

    return apply_once(request, Undone, change)


def _undo_teach(draft: Draft, event: Event) -> None:
    draft.remove(draft.require_sample(event.sample_id))
    draft.log.set_forgotten(event.sample_id, True)
    if event.canonical:
        draft.link(event.label, event.previous)


def _undo_forget(draft: Draft, event: Event) -> None:
    sample = draft.log.sample(event.sample_id, forgotten=True)
    if sample is None:
        raise NotFound("sample", str(event.sample_id))
    draft.log.set_forgotten(event.sample_id, False)
    draft.add(sample)


def _undo_relabel(draft: Draft, event: Event) -> None:
    sample = draft.require_sample(event.sample_id)
    draft.log.set_label(event.sample_id, event.previous)
    draft.remove(sample)
    draft.add(replace(sample, label=event.previous))


def _undo_link(draft: Draft, event: Event) -> None:
    draft.link(event.label, event.previous)


_UNDO: dict[ChangeKind, Callable[[Draft, Event], None]] = {
    ChangeKind.TEACH: _undo_teach,
    ChangeKind.CORRECT: _undo_teach,
    ChangeKind.FORGET: _undo_forget,
    ChangeKind.RELABEL: _undo_relabel,
    ChangeKind.LINK: _undo_link,
    ChangeKind.UNLINK: _undo_link,
}


def to_public_sample(row: SampleRow, variants: Variants, picture: bytes = b"") -> Sample:
    """Return a stored sample as callers see it."""
    return Sample(
        sample_id=row.sample_id,
        label=row.label,
        canonical=variants.canonical(row.label),
        loss=row.loss,
        time_us=row.time_us,
        revision=row.revision,
        predicted=row.predicted,
        correction=row.correction,
        picture=picture,
    )
