"""The change that takes the last one back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound, Precondition
from haleganada_server.core.sample_log.rows import ChangeKind, Event

from ..types import Undone
from .draft import Draft
from .requests import Request, apply_once, make_event, read_batch_id


def undo(request: Request) -> Callable[[Draft], Undone]:
    """Undo the newest change that was not undone yet."""
    return apply_once(request, Undone, lambda draft: _undo_one(draft, _require_change(draft), request, 1))


def undo_batch(request: Request) -> Callable[[Draft], Undone]:
    """Undo the newest changes that were not undone yet, as far as they belong to one batch. It should be alone in its
    transaction, because a batch may be large.
    """

    def change(draft: Draft) -> Undone:
        last = _require_change(draft)
        batch_id = read_batch_id(last)
        if not batch_id:
            raise Precondition(
                f"the last change ({last.kind.value}) belongs to no batch; undo takes back that change alone",
                Reason.NOTHING_TO_UNDO,
            )
        anonymous, changes = Request(client=request.client), 1  # a request_id belongs to one event: the last one
        while (before := draft.log.last_change(last.revision)) is not None and read_batch_id(before) == batch_id:
            _undo_one(draft, last, anonymous, changes)
            last, changes = before, changes + 1
        return _undo_one(draft, last, request, changes)

    return apply_once(request, Undone, change)


def _require_change(draft: Draft) -> Event:
    last = draft.log.last_change()
    if last is None:
        raise Precondition(
            "there is nothing to undo: nothing was taught or changed since this workspace was created, reset or "
            "restored; earlier states are among its snapshots",
            Reason.NOTHING_TO_UNDO,
        )
    return last


def _undo_one(draft: Draft, event: Event, request: Request, changes: int) -> Undone:
    """Undo one change, of so many up to it."""
    _UNDO[event.kind](draft, event)
    answer = Undone(
        kind=event.kind,
        undone_revision=event.revision,
        sample_id=event.sample_id,
        label=event.label,
        revision=draft.revision + 1,
        changes=changes,
    )
    undoing = make_event(
        ChangeKind.UNDO, request, answer, sample_id=event.sample_id, label=event.label, target=event.revision
    )
    draft.log.mark_undone(event.revision, draft.append(undoing))
    return answer


def _undo_teach(draft: Draft, event: Event) -> None:
    draft.remove(draft.require_sample(event.sample_id))
    draft.log.set_forgotten(event.sample_id, True)
    if event.canonical:
        draft.link(event.label, event.previous)


def _undo_forget(draft: Draft, event: Event) -> None:
    sample = draft.log.sample(event.sample_id, forgotten=True)
    if sample is None:
        raise NotFound("sample", str(event.sample_id))
    draft.require_room([sample.label], 1)
    draft.log.set_forgotten(event.sample_id, False)
    draft.add(sample)


def _undo_relabel(draft: Draft, event: Event) -> None:
    sample = draft.require_sample(event.sample_id)
    draft.require_room([event.previous])
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
