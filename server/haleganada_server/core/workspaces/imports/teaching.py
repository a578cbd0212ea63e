"""The change that teaches what is on the stage, and which items are taught already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import ITEM_ERRORS, Exhausted, QuotaExceeded, RevisionMismatch
from haleganada_server.core.folder_names import FolderNames

from ..changes.draft import Draft
from ..changes.requests import Request
from ..changes.teaching import teach
from ..ports import ImportStage, StagedSample
from ..types import Taught
from .preparing import ImportTally


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTerms:
    """client: who imports. expected_revision: at which the workspace must be; None = any. cancellation: ends it.
    folder_names: how to read folders that are named by numbers.
    """

    client: Caller = LOCAL_CALLER
    expected_revision: int | None = None
    cancellation: Cancellation = NEVER
    folder_names: FolderNames = FolderNames.AUTO


def find_taught(keys: Sequence[str]) -> Callable[[Draft], set[str]]:
    """Return which of these keys are of items that were imported before and are still taught. Changes nothing."""
    return lambda draft: {key for key in keys if _find_taught(draft, key)[1]}


def teach_staged(stage: ImportStage, tally: ImportTally, terms: ImportTerms) -> Callable[[Draft], ImportTally]:
    """Teach all that is on the stage, as one change, or nothing if a quota is too small. It has to be alone in its
    transaction.
    """

    def change(draft: Draft) -> ImportTally:
        if terms.expected_revision is not None and terms.expected_revision != draft.revision:
            raise RevisionMismatch(terms.expected_revision, draft.revision)
        for staged in stage:
            try:
                taught = _teach_once(staged, terms.client)(draft)
            except QuotaExceeded as error:  # an error that is not of one item takes all of them back
                raise Exhausted(error.message, error.reason, error.retry_after_s) from None
            except ITEM_ERRORS as error:
                tally.add_refused(staged.item, error)
            else:
                tally.duplicates += taught.duplicate
                tally.taught += not taught.duplicate
        reach("import.taught")
        return tally

    return change


def _teach_once(staged: StagedSample, client: Caller) -> Callable[[Draft], Taught]:
    """Teach a sample unless it was imported before and is still taught; one that was forgotten since is taught
    again.
    """

    def change(draft: Draft) -> Taught:
        request_id, _ = _find_taught(draft, staged.key)
        return teach(staged.new, Request(request_id, None, client, ("import", staged.key)))(draft)

    return change


def _find_taught(draft: Draft, key: str) -> tuple[str, bool]:
    """Return the request_id under which an item is taught, or would be, and whether it is."""
    request_id = f"import:{key}"
    while (earlier := draft.log.find_event(request_id)) is not None:
        if draft.log.sample(earlier.sample_id) is not None:
            return request_id, True
        request_id = f"import:{key}@{earlier.revision}"
    return request_id, False
