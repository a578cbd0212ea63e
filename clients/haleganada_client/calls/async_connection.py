"""The connection of an asyncio client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property
from typing import Any, ParamSpec, TypeVar

import grpc.aio

from .connection import Connection
from .renewable_channel import RenewableChannel

P = ParamSpec("P")
Result = TypeVar("Result")
_END = object()


class AsyncConnection(Connection):
    """A connection for the one event loop that first uses it."""

    @cached_property
    def channel(self) -> RenewableChannel:  # type: ignore[override]
        """The channel. It belongs to the event loop in which it is opened, so it is opened by the first call."""
        return RenewableChannel(lambda: self.access.open_channel(grpc.aio))

    async def answer(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        try:
            return await method(request, timeout=timeout_s, metadata=self.make_metadata(request))
        except asyncio.CancelledError:
            if self.is_closed and not _is_cancelled():
                raise ConnectionAbortedError from None  # see Connection._explaining
            raise

    def send_all(self, request: Any) -> Any:
        return _iterate_elsewhere(request) if isinstance(request, Iterator) else request

    async def receive_all(self, call: Any) -> AsyncIterator[Any]:
        async for answer in call:
            yield answer

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def offload(self, function: Callable[P, Result], /, *arguments: P.args, **named: P.kwargs) -> Result:
        return await asyncio.to_thread(function, *arguments, **named)

    async def close(self) -> None:
        """Close the channel and cancel its calls."""
        self.is_closed = True
        if "channel" in vars(self):
            closed: Any = self.channel.close()
            await closed


async def _iterate_elsewhere(source: Iterator[Any]) -> AsyncIterator[Any]:
    """Yield the items of an iterator that may block, for example because it reads a file."""
    while (item := await asyncio.to_thread(next, source, _END)) is not _END:
        yield item


def _is_cancelled() -> bool:
    """Return whether somebody has cancelled the present task, where Python tells (from 3.11 on)."""
    task = asyncio.current_task()
    return task is not None and hasattr(task, "cancelling") and task.cancelling() > 0
