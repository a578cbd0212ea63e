"""The starter drawings: digits and small letters, four drawings of each of the 36 labels, in starter.jsonl.

They are MIT-licensed handwriting, selected by haleganada_server.training.starter.drawings.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from .errors import AlreadyExists

if TYPE_CHECKING:
    from .client import HaleganadaClient
    from .types import ImportReport

LABELS = tuple("0123456789abcdefghijklmnopqrstuvwxyz")


def teach_starter(client: HaleganadaClient) -> ImportReport:
    """Teach the starter drawings to the client's workspace; create it if necessary.

    Skip drawings that it has already; teach those again that were forgotten. Raise HaleganadaError.
    """
    with suppress(AlreadyExists):
        client.create_workspace(client.config.workspace)
    with as_file(files(__package__) / "starter.jsonl") as path:
        return client.import_file(path, "jsonl")
