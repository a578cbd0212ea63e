"""What `up` does on its server before the page starts: it teaches the starter's drawings, and opens an example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # gRPC is imported where it is needed
    from haleganada_client.examples import OpenedExample
    from haleganada_client.types import ImportReport


@dataclass(frozen=True, kw_only=True)
class FirstSteps:
    """What was done; None = it was not asked for."""

    starter: ImportReport | None = None
    example: OpenedExample | None = None


def take_first_steps(address: str, workspace: str, *, starter: bool, example: str) -> FirstSteps:
    """Do on the server at an address what was asked for. workspace: which gets the starter, "" = the usual one.
    example: one of examples.EXAMPLES, "" = none. Raise HaleganadaError.
    """
    if not (starter or example):
        return FirstSteps()
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.connection.config import ClientConfig
    from haleganada_client.examples import open_example
    from haleganada_client.starter import teach_starter

    config = ClientConfig.from_environment()
    config = replace(config, target=address, workspace=workspace or config.workspace)
    with HaleganadaClient(config=config) as client:
        return FirstSteps(
            starter=teach_starter(client) if starter else None,
            example=open_example(client, example) if example else None,
        )
