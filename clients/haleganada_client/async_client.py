"""The client for asyncio: the same methods as HaleganadaClient has, as coroutines and asynchronous generators.

async with AsyncHaleganadaClient() as client:
    await client.train(Path("a.png"), "ಅ")
    print((await client.predict(Path("b.png"))).best)
"""

from __future__ import annotations

import os
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from .calls.async_connection import AsyncConnection
from .calls.dual import Asynchronous
from .client import make_config
from .connection.config import ClientConfig
from .operations.all import AllOperations
from .training.datasets import AsyncDatasetsClient
from .training.jobs import AsyncJobsClient
from .training.models import AsyncModelsClient

if TYPE_CHECKING:  # as in client.py
    from .reading.readings import AsyncReadingsClient


class AsyncHaleganadaClient(AllOperations, Asynchronous):
    """The client of one server, for programs that use asyncio. Use it in an async with statement, or await close().

    It has the methods of HaleganadaClient: `await` those that return something, and iterate those that yield
    (read_many, read_pages, iter_samples, jobs.watch) with `async for`. All calls of one client must be made in one
    event loop. Files are read and written in threads, so that the loop never waits for a disk.
    """

    _connection: AsyncConnection

    def __init__(
        self,
        target: str | None = None,
        *,
        workspace: str | None = None,
        token: str | None = None,
        tls: bool | str | os.PathLike[str] | None = None,
        timeout_s: float | None = None,
        retry: bool | None = None,
        config: ClientConfig | None = None,
        profile: str = "",
    ) -> None:
        """Create a client; the arguments are those of HaleganadaClient."""
        super().__init__(
            AsyncConnection(
                make_config(
                    config or ClientConfig.from_environment(profile, target=target or ""),
                    tls,
                    target=target,
                    workspace=workspace,
                    token=token,
                    timeout_s=timeout_s,
                    retry=retry,
                )
            )
        )
        self.datasets = AsyncDatasetsClient(self._connection)
        self.jobs = AsyncJobsClient(self._connection)
        self.models = AsyncModelsClient(self._connection)

    @cached_property
    def readings(self) -> AsyncReadingsClient:
        """The readings that the server keeps."""
        from .reading.readings import AsyncReadingsClient

        return AsyncReadingsClient(self._connection)

    async def __aenter__(self) -> AsyncHaleganadaClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
