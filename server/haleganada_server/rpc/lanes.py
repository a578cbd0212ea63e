"""The lanes and places of a server, made from its limits."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.baton import Baton
from haleganada_server.core.error_reasons import Reason

from .calls.call_pool import CallPool
from .calls.lane import ShortLane, StreamLane
from .calls.patience import Watchdog
from .calls.places import Places, Shares
from .calls.workers import Workers
from .interceptors import Lanes

HEALTH_CHECKS = 256
HEALTH_WATCHERS = 256
LONG_CALLS = 32
HEALTH_MESSAGE_S = 5.0


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


def make_lanes(limits: Limits, workers: Workers, watchdog: Watchdog, baton: Baton) -> Lanes:
    """Return the lanes of a server, which watchdog watches. workers, baton: the turns of its short calls, and what they
    share to run Python one after another.
    """
    short, health = _make_short_lane(limits, workers, baton), _make_health_lane(limits)
    watchdog.add(short.arrivals.cut_off)
    watchdog.add(health.arrivals.cut_off)
    return Lanes(
        short,
        _make_stream_lane(limits, watchdog),
        health,
        _make_places(
            HEALTH_WATCHERS,
            limits.caller_share,
            "too many watch the health of this server; ask with Check now and then",
            Reason.TOO_MANY_WATCHERS,
        ),
        _make_places(
            LONG_CALLS,
            limits.caller_share,
            "too many calls that take long are in progress; repeat this one later",
            Reason.QUEUE_FULL,
        ),
    )


def make_transfer_places(limits: Limits) -> Places:
    """Return the places for exports, imports, uploads and downloads."""
    return _make_places(
        limits.max_transfers,
        limits.caller_share,
        "too many exports and imports are in progress; repeat the call later",
        Reason.TOO_MANY_TRANSFERS,
    )


def make_watcher_places(limits: Limits) -> Places:
    """Return the places for those who watch jobs."""
    return _make_places(
        limits.max_watchers,
        limits.caller_share,
        "too many watch jobs already; ask with GetJob now and then",
        Reason.TOO_MANY_WATCHERS,
    )


def _make_short_lane(limits: Limits, workers: Workers, baton: Baton) -> ShortLane:
    shares = Shares(
        limits.max_arriving,
        limits.caller_share,
        "too many calls have begun and not sent their message; send it, then repeat this call",
        Reason.QUEUE_FULL,
    )
    threads = limits.workers + limits.max_waiting + limits.max_arriving
    return ShortLane(CallPool(threads, "call", baton), shares, limits.message_s, workers)


def _make_stream_lane(limits: Limits, watchdog: Watchdog) -> StreamLane:
    return StreamLane(
        pool=CallPool(limits.max_streams, "stream"),
        places=_make_places(
            limits.max_streams,
            limits.caller_share,
            "too many streams are open; close one, or repeat the call later",
            Reason.TOO_MANY_STREAMS,
        ),
        patience_s=limits.idle_s,
        bytes_per_s=limits.min_bytes_per_s,
        watchdog=watchdog,
    )


def _make_health_lane(limits: Limits) -> ShortLane:
    shares = Shares(
        HEALTH_CHECKS,
        limits.caller_share,
        "too many health checks have begun and not sent their message",
        Reason.QUEUE_FULL,
    )
    return ShortLane(CallPool(HEALTH_CHECKS, "health"), shares, HEALTH_MESSAGE_S)


def _make_places(total: int, share: float, refusal: str, reason: Reason) -> Places:
    return Places(Shares(total, share, refusal, reason))
