"""Examples that come with the product: symbols to teach, and a page in them to read. Each folder names its license."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from haleganada_client.errors import AlreadyExists, Internal

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient

EXAMPLES = ("copiale",)


@dataclass(frozen=True, kw_only=True)
class OpenedExample:
    """An example on a server. workspace: which knows its symbols. reading_id: its page. taught: drawings that were new
    to the workspace.
    """

    workspace: str
    reading_id: str
    taught: int


def open_example(client: HaleganadaClient, name: str) -> OpenedExample:
    """Teach an example's symbols to the workspace of its name, and read its page. What is there already stays as it is.

    name: one of EXAMPLES. Raise HaleganadaError.
    """
    with suppress(AlreadyExists):
        client.create_workspace(name)
    with as_file(files(__package__) / name) as folder:
        taught = client.import_file(folder / "symbols.zip", "folder", folder_names="text", workspace=name).imported
        page = folder / f"{name}.png"
        known = (reading.reading_id for reading in client.readings.list() if reading.file_name == page.name)
        reading_id = next(known, "")
        if not reading_id:
            reading = client.read(page, mode="taught", workspace=name, keep=True).reading
            if reading is None:
                raise Internal("the server did not keep the page of the example; its log has the details")
            reading_id = reading.reading_id
    return OpenedExample(workspace=name, reading_id=reading_id, taught=taught)
