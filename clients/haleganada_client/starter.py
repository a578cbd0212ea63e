"""The digits and small letters that come with the package: starter.jsonl, four drawings of each of the 36 labels.

They are MIT-licensed handwriting, chosen by haleganada_server.training.starter.drawings.
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
    """Teach the client's workspace, which is made if there is none of its name, all starter drawings that it does not
    know.

    What else was taught stays; what was forgotten of them since comes back. Raises HaleganadaError.
    """
    with suppress(AlreadyExists):
        client.create_workspace(client.config.workspace)
    with as_file(files(__package__) / "starter.jsonl") as path:
        return client.import_file(path, "jsonl")
