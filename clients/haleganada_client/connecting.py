"""connect(): a client of a server that is known to answer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from .client import HaleganadaClient
from .connection.config import ClientConfig
from .connection.token_file import read_token_file

PathLike = str | os.PathLike[str]


def connect(
    where: str = "",
    *,
    workspace: str | None = None,
    token_file: PathLike | None = None,
    ca: PathLike | None = None,
    cert: PathLike | None = None,
    key: PathLike | None = None,
) -> HaleganadaClient:
    """Return a client of a server after a call that shows that it answers and lets the token in.

    where: an address, "grpcs://HOST:PORT" with TLS or "HOST:PORT" without; the name of a profile; or "" for what
    ClientConfig.from_environment tells. token_file: a file that holds the token alone. ca, cert, key: PEM files, as in
    ClientConfig. Raise what a call raises, and OSError for a file that cannot be read.
    """
    address = where if ":" in where else ""
    config = ClientConfig.from_environment("" if address else where, target=address)
    given = {"ca": ca, "cert": cert, "key": key}
    files: dict[str, Any] = {name: Path(path) for name, path in given.items() if path is not None}
    client = HaleganadaClient(
        config=replace(
            config,
            workspace=config.workspace if workspace is None else workspace,
            token=config.token if token_file is None else read_token_file(Path(token_file)),
            **files,
        )
    )
    try:
        client.list_workspaces()
    except BaseException:
        client.close()
        raise
    return client
