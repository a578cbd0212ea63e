"""The changes to what was taught: other labels, forgotten samples, forms of one letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.sample_log.rows import ChangeKind

from ..types import Linked, Sample, SampleChange, Unlinked
from .draft import Draft
from .requests import Request, apply_once, make_event


def relabel(sample_id: int, label: str, request: Request) -> Callable[[Draft], SampleChange]:
    """Give a live sample another label. With the label that it has, nothing changes and there is nothing to undo."""

    def change(draft: Draft) -> SampleChange:
        before = draft.require_sample(sample_id)
        if before.label == label:
            return SampleChange(Sample.from_row(before, draft.variants), draft.revision)
        draft.require_room([label])
        after = replace(before, label=label)
        draft.log.set_label(sample_id, label)
        draft.remove(before)
        draft.add(after)
        answer = SampleChange(Sample.from_row(after, draft.variants), draft.revision + 1)
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


def join_groups(form: str, canonical: str, request: Request) -> Callable[[Draft], Linked]:
    """Let all forms of a group, and its canonical label, stand for another canonical label, as one batch."""

    def change(draft: Draft) -> Linked:
        head, *forms = draft.variants.forms(form)
        target = draft.variants.canonical(canonical)
        if target == head:
            draft.variants.resolve(head, target)  # raises, before anything is written
        part = Request(client=request.client, batch_id=request.batch_id or uuid4().hex)
        for other in forms:
            draft.link(other, target)
            answer = Linked(target, (), draft.revision + 1)
            draft.append(make_event(ChangeKind.LINK, part, answer, label=other, canonical=target, previous=head))
        return link(head, target, replace(request, batch_id=part.batch_id))(draft)

    return apply_once(request, Linked, change)


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
