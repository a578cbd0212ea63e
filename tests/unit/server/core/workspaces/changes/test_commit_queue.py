"""Group commit: each change is applied once, in order of arrival, however many share a commit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from haleganada_server.core.workspaces.changes.commit_queue import CommitQueue, PendingChange

from tests.support.waiting import wait_until


def test_concurrent_changes_share_commits_and_none_is_lost() -> None:
    groups: list[int] = []
    applied: list[int] = []

    def commit(group: list[PendingChange]) -> None:
        groups.append(len(group))
        for change in group:
            change.answer = change.apply(None)

    queue = CommitQueue(commit)

    def change(number: int) -> int:
        def apply(_: object) -> int:
            applied.append(number)
            return number

        pending = PendingChange(apply)
        queue.run([pending])
        answer: int = pending.result()
        return answer

    with ThreadPoolExecutor(32) as pool:
        with queue.lock:  # the disk is busy
            answers = [pool.submit(change, number) for number in range(32)]
            wait_until(lambda: len(queue) == 32)
        assert [answer.result() for answer in answers] == list(range(32))
    assert sorted(applied) == list(range(32))
    assert groups == [32]


def test_a_failed_commit_fails_its_group_only() -> None:
    def commit(group: list[PendingChange]) -> None:
        if any(change.apply(None) == "bad" for change in group):
            raise OSError("disk full")
        for change in group:
            change.answer = "done"

    queue = CommitQueue(commit)
    bad, good = PendingChange(lambda _: "bad"), PendingChange(lambda _: "good")
    queue.run([bad])
    queue.run([good])
    with pytest.raises(OSError, match="disk full"):
        bad.result()
    assert good.result() == "done"


def test_the_lock_keeps_writers_out() -> None:
    queue = CommitQueue(lambda _: None)
    pending = PendingChange(lambda _: None)
    with queue.lock:
        writer = threading.Thread(target=queue.run, args=([pending],))
        writer.start()
        wait_until(lambda: len(queue) == 1)
        assert not pending.done
    writer.join(60)
    assert pending.done
