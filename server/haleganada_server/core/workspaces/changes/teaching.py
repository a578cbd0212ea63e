"""The changes that teach a drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.clock import now_us
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.sample_log.rows import ChangeKind, SampleRow

from ..types import Corrected, KnownDrawings, Taught
from .draft import Draft
from .requests import Request, apply_once, make_event


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
    recorded in an imported file; None = found when the sample is learned. known: as in Lesson. vector: (k,), the
    projected embedding; None = projected when the sample is learned.
    """

    label: str
    variant_of: str
    stored: tuple[str, bytes]
    embedding: NDArray[np.float32]
    embedder_hash: str
    corrects: tuple[str, int] | None = None
    prequential: Prequential | None = None
    known: KnownDrawings = KnownDrawings.IGNORE
    vector: NDArray[np.float64] | None = None


def teach(new: NewSample, request: Request) -> Callable[[Draft], Taught]:
    """Learn a drawing; with variant_of also link its label. One that is known may be skipped, see NewSample.known."""

    def change(draft: Draft) -> Taught:
        looks = new.known is not KnownDrawings.IGNORE
        same = draft.log.find_drawing(new.label, *new.stored) if looks else 0
        if same and new.known is KnownDrawings.SKIP:
            return _describe_known(draft, new, draft.require_sample(same))
        taught = _add_sample(draft, new, same)
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


def _add_sample(draft: Draft, new: NewSample, known_sample_id: int = 0) -> Taught:
    """Store a drawing and count it in; the caller links its label and appends the event. known_sample_id: see
    Taught.
    """
    if new.variant_of:
        draft.variants.resolve(new.label, new.variant_of)  # raises before anything is written
    draft.require_room([new.label], 1, len(new.stored[1]))
    vector = draft.head_parameters.projection.project_one(new.embedding) if new.vector is None else new.vector
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
        known_sample_id=known_sample_id,
    )


def _describe_known(draft: Draft, new: NewSample, sample: SampleRow) -> Taught:
    return Taught(
        sample_id=sample.sample_id,
        loss=sample.loss,
        label=new.label,
        trained_as=draft.variants.canonical(new.label),
        labels_known=draft.labels_known,
        samples_total=draft.samples_total,
        revision=sample.revision,
        duplicate=True,
        known_sample_id=sample.sample_id,
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
