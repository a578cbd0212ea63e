"""Which data set people mean by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient


def dataset_named(client: HaleganadaClient, name: str) -> str:
    """An id or a name, for the server: the name itself, or the newest one's id where several of that name hold the
    same.

    Where they differ, the server says which there are. Raises HaleganadaError.
    """
    named = [dataset for dataset in client.datasets.list() if dataset.name == name]
    alike = len({dataset.sha256 for dataset in named}) == 1
    return named[0].dataset_id if len(named) > 1 and alike else name
