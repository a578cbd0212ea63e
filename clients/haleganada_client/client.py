"""The typed client of one server. It uses one channel and is safe to call from any thread.

with HaleganadaClient() as client:
    client.train(Path("a.png"), "ಅ")
    print(client.predict(Path("b.png")).best)

What its methods do is in operations/; AsyncHaleganadaClient, in async_client.py, has the same ones as coroutines.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .calls.connection import BlockingConnection
from .calls.dual import Blocking
from .connection.config import ClientConfig
from .operations.all import AllOperations
from .training.datasets import DatasetsClient
from .training.jobs import JobsClient
from .training.models import ModelsClient
from .wire.arguments import to_path

if TYPE_CHECKING:  # few programs read documents; importing this takes as long as all the rest
    from .reading.readings import ReadingsClient


class HaleganadaClient(AllOperations, Blocking):
    """The client of one server. Use it in a with statement, or close it.

    Every method raises HaleganadaError (see errors.py) if the server refuses or cannot be reached, and InvalidInput for
    what cannot even be sent. workspace=None means the client's own workspace. Calls that change something carry a
    request_id, a new one if none is given, so that a repeated call never teaches twice. expected_revision: raise
    RevisionMismatch if the workspace is at another one.
    """

    _connection: BlockingConnection

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
        """Create a client; it connects with the first call. Arguments that are None come from `config`, without which
        they come from profiles and the environment, in the order that ClientConfig.from_environment tells.

        target: HOST:PORT, or grpcs://HOST:PORT for TLS. tls: True to trust gRPC's certificate authorities, or a PEM
        file of others. timeout_s: the deadline of a call in seconds, above 0. retry: False reports every failure at
        once. Raise InvalidInput for a token that would be sent unencrypted, OSError for a PEM file that cannot be read.
        """
        super().__init__(
            BlockingConnection(
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
        self.datasets = DatasetsClient(self._connection)
        self.jobs = JobsClient(self._connection)
        self.models = ModelsClient(self._connection)

    @cached_property
    def readings(self) -> ReadingsClient:
        """The readings that the server keeps."""
        from .reading.readings import ReadingsClient

        return ReadingsClient(self._connection)

    def __enter__(self) -> HaleganadaClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def make_config(config: ClientConfig, tls: bool | str | os.PathLike[str] | None, **fields: Any) -> ClientConfig:
    """Return the configuration of a client: what was given, and for the rest `config`."""
    given = {name: value for name, value in fields.items() if value is not None}
    return replace(config, **given, **_tls_fields(tls))


def _tls_fields(tls: bool | str | os.PathLike[str] | None) -> dict[str, Any]:
    """Return the fields of a ClientConfig that the argument `tls` stands for; False overrides the environment, too."""
    if tls is None:
        return {}
    return {"tls": tls, "ca": None} if isinstance(tls, bool) else {"tls": True, "ca": to_path(tls, "tls")}
