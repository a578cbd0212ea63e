"""The change that keeps a workspace in step with a page: some drawings are taught, and others are forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.sample_log.rows import SampleRow

from . import editing, teaching
from .draft import Draft
from .requests import Request
from .teaching import NewSample


@dataclass(frozen=True, slots=True, eq=False)
class OwnSample:
    """A sample that the caller has taught. is_same: whether a sample is that one, and not another that got its number
    after the workspace was reset or restored.
    """

    sample_id: int
    is_same: Callable[[SampleRow], bool]


def exchange(
    taught: Sequence[NewSample], forgotten: Sequence[OwnSample], client: Caller = LOCAL_CALLER
) -> Callable[[Draft], tuple[int, ...]]:
    """Forget samples, as far as they are still there, and learn drawings, as one batch. The answer has the numbers of
    the new samples.
    """

    def change(draft: Draft) -> tuple[int, ...]:
        gone = [own.sample_id for own in forgotten if _is_there(draft, own)]
        size = sum(len(new.stored[1]) for new in taught)
        draft.require_room([new.label for new in taught], len(taught), size, freed=len(gone))
        several = len(gone) + len(taught) > 1
        request = Request(client=client, batch_id=uuid4().hex if several else "")
        for sample_id in gone:
            editing.forget(sample_id, request)(draft)
        return tuple(teaching.teach(new, request)(draft).sample_id for new in taught)

    return change


def _is_there(draft: Draft, own: OwnSample) -> bool:
    sample = draft.log.sample(own.sample_id)
    return sample is not None and own.is_same(sample)
