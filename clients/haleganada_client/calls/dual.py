"""One implementation for two kinds of client: those whose methods block, and those of asyncio.

What a client does is written once, as coroutines. An asyncio client hands them out as they are. A blocking client runs
them to their end on the spot: all that they wait for there, see BlockingConnection, has happened when it returns, so
such a coroutine is never suspended and needs no event loop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

P = ParamSpec("P")
Result = TypeVar("Result")
Item = TypeVar("Item")


class Blocking:
    """Base class of clients whose methods block."""


class Asynchronous:
    """Base class of clients whose methods are coroutines."""


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine that has to wait for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    raise RuntimeError("a blocking client was made to wait for an event loop")


def iterate(source: AsyncGenerator[Item, None]) -> Generator[Item, None, None]:
    """Yield what a generator yields that has to wait for nothing. Closing the iterator closes the generator."""
    try:
        while True:
            try:
                item = run(source.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(source.aclose())


class dual_method(Generic[P, Result]):  # noqa: N801  # a decorator, as property is
    """Make a coroutine function a method of both kinds of client; only blocking ones run it at once."""

    def __init__(self, operation: Callable[Concatenate[Any, P], Coroutine[Any, Any, Result]]) -> None:
        @wraps(operation)
        def blocking(client: Any, *arguments: P.args, **named: P.kwargs) -> Result:
            return run(operation(client, *arguments, **named))

        self.operation, self._blocking = operation, blocking
        self.__doc__ = operation.__doc__

    @overload
    def __get__(self, client: Blocking, kind: type) -> Callable[P, Result]: ...

    @overload
    def __get__(self, client: Asynchronous, kind: type) -> Callable[P, Coroutine[Any, Any, Result]]: ...

    @overload
    def __get__(self, client: None, kind: type) -> Callable[..., Any]: ...

    def __get__(self, client: Any, kind: type) -> Any:
        return _bind(self.operation if issubclass(kind, Asynchronous) else self._blocking, client, kind)


class dual_iterator(Generic[P, Item]):  # noqa: N801
    """Make a function that returns an asynchronous generator a method of both kinds of client; that of a blocking one
    returns a plain generator.
    """

    def __init__(self, operation: Callable[Concatenate[Any, P], AsyncGenerator[Item, None]]) -> None:
        @wraps(operation)
        def blocking(client: Any, *arguments: P.args, **named: P.kwargs) -> Generator[Item, None, None]:
            return iterate(operation(client, *arguments, **named))

        self.operation, self._blocking = operation, blocking
        self.__doc__ = operation.__doc__

    @overload
    def __get__(self, client: Blocking, kind: type) -> Callable[P, Generator[Item, None, None]]: ...

    @overload
    def __get__(self, client: Asynchronous, kind: type) -> Callable[P, AsyncGenerator[Item, None]]: ...

    @overload
    def __get__(self, client: None, kind: type) -> Callable[..., Any]: ...

    def __get__(self, client: Any, kind: type) -> Any:
        return _bind(self.operation if issubclass(kind, Asynchronous) else self._blocking, client, kind)


def _bind(function: Any, client: Any, kind: type) -> Any:
    return function if client is None else function.__get__(client, kind)
