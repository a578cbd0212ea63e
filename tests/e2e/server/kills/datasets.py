"""Which data sets must be there, whatever killed the server: a model that every acknowledged call changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from haleganada_client import HaleganadaClient

from tests.e2e.server.kills.model import LABELS, new_drawing, to_line
from tests.e2e.server.kills.trainings import TRAINED_ON


@dataclass
class ModelOfDatasets:
    """The data sets that must be there: dataset_id -> name. Not the one that models are trained on."""

    there: dict[str, str] = field(default_factory=dict)
    deleting: str = ""
    calls: int = 0

    def change(self, client: HaleganadaClient, folder: Path) -> None:
        """Upload a data set, or delete one."""
        if len(self.there) > 3:
            self.delete(client)
        else:
            self.upload(client, folder)

    def upload(self, client: HaleganadaClient, folder: Path) -> None:
        """Upload a data set."""
        path = folder / f"set-{self.calls}.jsonl"
        lines = [to_line(label, new_drawing()) for label in LABELS[:2] for _ in range(8)]
        path.write_text("\n".join(lines), encoding="utf-8")
        made = client.datasets.upload(path)
        self.there[made.dataset_id] = made.name
        self.calls += 1

    def delete(self, client: HaleganadaClient) -> None:
        """Delete the oldest data set."""
        self.deleting = next(iter(self.there))
        client.datasets.delete(self.deleting)
        self.there.pop(self.deleting)
        self.deleting = ""
        self.calls += 1

    def settle(self, client: HaleganadaClient) -> None:
        """Check the data sets after a kill."""
        listed = client.datasets.list()
        assert not any(made.damage for made in listed), listed
        found = {made.dataset_id: made.name for made in listed if made.name != TRAINED_ON}
        if self.deleting and self.deleting not in found:
            self.there.pop(self.deleting, None)
        self.deleting = ""
        assert self.there.items() <= found.items(), "a data set is gone"
        self.there = found
