"""What other servers have committed, carried out on what this one knows: the same steps in the same order as there, so
that both know the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haleganada_server.core.sample_log.rows import LABELING, ChangeKind, Event, FollowedEvent

from .knowledge_draft import KnowledgeDraft


def follow(draft: KnowledgeDraft, news: Sequence[FollowedEvent]) -> None:
    """Carry out events, which follow the draft's revision."""
    for followed in news:
        event = followed.event
        if event.kind is ChangeKind.UNDO and followed.undone is not None:
            _UNDO[followed.undone.kind](draft, followed.undone, followed)
        elif event.kind in _DO:
            _DO[event.kind](draft, event, followed)
        if event.kind in LABELING:
            draft.number_label(event.label)
        draft.revision = event.revision


_Step = Callable[[KnowledgeDraft, Event, FollowedEvent], None]


def _teach(draft: KnowledgeDraft, event: Event, sample: FollowedEvent) -> None:
    _count_in(draft, event, event.label, sample)
    if event.canonical:
        _link(draft, event, sample)


def _relabel(draft: KnowledgeDraft, event: Event, sample: FollowedEvent) -> None:
    _count_out(draft, event, event.previous, sample)
    _count_in(draft, event, event.label, sample)


def _forget(draft: KnowledgeDraft, event: Event, sample: FollowedEvent) -> None:
    _count_out(draft, event, event.label, sample)


def _link(draft: KnowledgeDraft, event: Event, _: FollowedEvent) -> None:
    draft.variants = draft.variants.with_link(event.label, event.canonical)


def _unteach(draft: KnowledgeDraft, event: Event, sample: FollowedEvent) -> None:
    _count_out(draft, event, event.label, sample)
    if event.canonical:
        _relink(draft, event, sample)


def _remember(draft: KnowledgeDraft, event: Event, sample: FollowedEvent) -> None:
    _count_in(draft, event, event.label, sample)


def _label_again(draft: KnowledgeDraft, event: Event, sample: FollowedEvent) -> None:
    _count_out(draft, event, event.label, sample)
    _count_in(draft, event, event.previous, sample)


def _relink(draft: KnowledgeDraft, event: Event, _: FollowedEvent) -> None:
    draft.variants = draft.variants.with_link(event.label, event.previous)


def _count_in(draft: KnowledgeDraft, event: Event, label: str, sample: FollowedEvent) -> None:
    draft.count_in(event.sample_id, label, sample.embedding, sample.embedder_hash)


def _count_out(draft: KnowledgeDraft, event: Event, label: str, sample: FollowedEvent) -> None:
    draft.count_out(event.sample_id, label, sample.embedding, sample.embedder_hash)


_DO: dict[ChangeKind, _Step] = {
    ChangeKind.TEACH: _teach,
    ChangeKind.CORRECT: _teach,
    ChangeKind.RELABEL: _relabel,
    ChangeKind.FORGET: _forget,
    ChangeKind.LINK: _link,
    ChangeKind.UNLINK: _link,
}
_UNDO: dict[ChangeKind, _Step] = {
    ChangeKind.TEACH: _unteach,
    ChangeKind.CORRECT: _unteach,
    ChangeKind.RELABEL: _label_again,
    ChangeKind.FORGET: _remember,
    ChangeKind.LINK: _relink,
    ChangeKind.UNLINK: _relink,
}
