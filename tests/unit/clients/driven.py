"""An asyncio client that is used as if it blocked, so that one test body can try both kinds of client."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, cast

from haleganada_client import AsyncHaleganadaClient, HaleganadaClient


class _Driven:
    """Something of an asyncio client, all of whose methods are run to their end in one event loop."""

    def __init__(self, driven: object, loop: asyncio.AbstractEventLoop) -> None:
        self._driven, self._loop = driven, loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._driven, name)
        if callable(value):
            return lambda *arguments, **named: self._drive(value(*arguments, **named))
        return _Driven(value, self._loop) if name in ("datasets", "jobs", "models", "readings") else value

    def _drive(self, result: Any) -> Any:
        if isinstance(result, AsyncGenerator):
            return self._iterate(result)
        return self._loop.run_until_complete(result) if inspect.iscoroutine(result) else result

    def _iterate(self, items: AsyncGenerator[Any, None]) -> Generator[Any, None, None]:
        try:
            while True:
                try:
                    item = self._loop.run_until_complete(items.__anext__())
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._loop.run_until_complete(items.aclose())


class _DrivenClient(_Driven):
    def __enter__(self) -> _DrivenClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def make_driven(*arguments: Any, **named: Any) -> HaleganadaClient:
    """Make an asyncio client that looks like a blocking one. Use it in a with statement."""
    client = _DrivenClient(AsyncHaleganadaClient(*arguments, **named), asyncio.new_event_loop())
    return cast(HaleganadaClient, client)


KINDS: dict[str, Callable[..., HaleganadaClient]] = {"blocking": HaleganadaClient, "asyncio": make_driven}
