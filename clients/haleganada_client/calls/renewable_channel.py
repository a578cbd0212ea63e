"""A channel that can be replaced while stubs hold it: by one with a connection of its own, where the old one is dead.

A laptop that has slept, or that has changed its network, does not hear that its connections are gone: what it sends
there is lost, and gRPC waits for an answer until the deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class RenewableChannel:
    """Stands for the newest of several channels of grpc or grpc.aio. Safe from any thread where they are."""

    def __init__(self, open_channel: Callable[[], Any]) -> None:
        self._open = open_channel
        self.newest = open_channel()

    def renew(self, old: Any) -> None:
        """Make further calls through a new channel, unless `old` is no longer the newest. Calls that are under way stay
        on the old one, which ends with them.
        """
        if self.newest is old:
            self.newest = self._open()

    def close(self) -> Any:
        """Close the channel, as its own close() does."""
        return self.newest.close()

    def unary_unary(self, *described: Any, **named: Any) -> _Method:
        """Return a method, as a channel of grpc does. So do the following."""
        return _Method(self, "unary_unary", described, named)

    def unary_stream(self, *described: Any, **named: Any) -> _Method:
        """Return a method whose answer is a stream."""
        return _Method(self, "unary_stream", described, named)

    def stream_unary(self, *described: Any, **named: Any) -> _Method:
        """Return a method whose request is a stream."""
        return _Method(self, "stream_unary", described, named)

    def stream_stream(self, *described: Any, **named: Any) -> _Method:
        """Return a method of two streams."""
        return _Method(self, "stream_stream", described, named)


class _Method:
    """A method of the newest channel, made again for each."""

    def __init__(self, channel: RenewableChannel, kind: str, described: Any, named: Any) -> None:
        self._channel, self._kind, self._described, self._named = channel, kind, described, named
        self._made: tuple[Any, Any] = (None, None)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        channel, method = self._made
        if channel is not self._channel.newest:
            channel = self._channel.newest
            method = getattr(channel, self._kind)(*self._described, **self._named)
            self._made = (channel, method)
        return method(*arguments, **named)
