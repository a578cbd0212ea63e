"""What is done about embeddings that are not as they were written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

_log = logging.getLogger(__name__)


class DistrustingTransaction(Protocol):
    """An open transaction of a workspace's log."""

    def distrust_embedding(self, sample_id: int) -> None:
        """Make a sample stale whose embedding is damaged, so that it is embedded again."""


def distrust_embeddings(
    workspace: str,
    sample_ids: Sequence[int],
    open_transaction: Callable[[], AbstractContextManager[DistrustingTransaction]],
) -> None:
    """Make samples stale whose embeddings are damaged, and say so in the server's log."""
    if not sample_ids:
        return
    _log.warning(
        "workspace %r: the embeddings of %d samples are damaged, from sample %d on; they are computed again",
        workspace,
        len(sample_ids),
        sample_ids[0],
    )
    with open_transaction() as transaction:
        for sample_id in sample_ids:
            transaction.distrust_embedding(sample_id)
