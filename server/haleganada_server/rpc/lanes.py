"""The lanes and places of a server, made from its limits."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.error_reasons import Reason

from .calls.lane import Lane
from .calls.patience import Watchdog
from .calls.places import Places
from .calls.workers import CallPool, Workers
from .interceptors import Lanes

_HEALTH_CHECKS = 256
_HEALTH_WATCHERS = 256
_LONG_CALLS = 32
_HEALTH_MESSAGE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """See config.ServerConfig."""

    workers: int
    max_waiting: int
    max_arriving: int
    max_streams: int
    max_transfers: int
    max_message_bytes: int
    max_import_bytes: int
    max_watchers: int
    caller_share: float
    idle_s: float
    min_bytes_per_s: float
    message_s: float


def make_lanes(limits: Limits, workers: Workers, watchdog: Watchdog) -> Lanes:
    """Return the lanes of a server. workers: the turns of its short calls."""
    return Lanes(
        _make_short_lane(limits, workers, watchdog),
        _make_stream_lane(limits, watchdog),
        _make_health_lane(limits, watchdog),
        Places(
            _HEALTH_WATCHERS,
            limits.caller_share,
            "too many watch the health of this server; ask with Check now and then",
            Reason.TOO_MANY_WATCHERS,
        ),
        Places(
            _LONG_CALLS,
            limits.caller_share,
            "too many calls that take long are in progress; repeat this one later",
            Reason.QUEUE_FULL,
        ),
    )


def make_transfer_places(limits: Limits) -> Places:
    """Return the places for exports, imports, uploads and downloads."""
    return Places(
        limits.max_transfers,
        limits.caller_share,
        "too many exports and imports are in progress; repeat the call later",
        Reason.TOO_MANY_TRANSFERS,
    )


def make_watcher_places(limits: Limits) -> Places:
    """Return the places for those who watch jobs."""
    return Places(
        limits.max_watchers,
        limits.caller_share,
        "too many watch jobs already; ask with GetJob now and then",
        Reason.TOO_MANY_WATCHERS,
    )


def _make_short_lane(limits: Limits, workers: Workers, watchdog: Watchdog) -> Lane:
    threads = limits.workers + limits.max_waiting + limits.max_arriving
    return Lane(
        pool=CallPool(threads, "call"),
        places=Places(
            limits.max_arriving,
            limits.caller_share,
            "too many calls have begun and not sent their message; send it, then repeat this call",
            Reason.QUEUE_FULL,
        ),
        patience_s=limits.message_s,
        bytes_per_s=limits.min_bytes_per_s,
        watchdog=watchdog,
        workers=workers,
    )


def _make_stream_lane(limits: Limits, watchdog: Watchdog) -> Lane:
    return Lane(
        pool=CallPool(limits.max_streams, "stream"),
        places=Places(
            limits.max_streams,
            limits.caller_share,
            "too many streams are open; close one, or repeat the call later",
            Reason.TOO_MANY_STREAMS,
        ),
        patience_s=limits.idle_s,
        bytes_per_s=limits.min_bytes_per_s,
        watchdog=watchdog,
    )


def _make_health_lane(limits: Limits, watchdog: Watchdog) -> Lane:
    return Lane(
        pool=CallPool(_HEALTH_CHECKS, "health"),
        places=Places(
            _HEALTH_CHECKS,
            limits.caller_share,
            "too many health checks have begun and not sent their message",
            Reason.QUEUE_FULL,
        ),
        patience_s=_HEALTH_MESSAGE_S,
        bytes_per_s=limits.min_bytes_per_s,
        watchdog=watchdog,
    )
