"""Messages of online learning <-> the domain's values."""

from __future__ import annotations

from dataclasses import replace

from haleganada.v1 import online_pb2 as pb

from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineStatus

_FIELDS = ("replay", "steps", "learning_rate", "weight_decay", "seed")


def config(message: pb.OnlineSettings, usual: OnlineConfig | None = None) -> OnlineConfig:
    """Convert settings; what is absent has its default. The domain checks the numbers."""
    return replace(usual or OnlineConfig(), **{field.name: value for field, value in message.ListFields()})


def status(value: OnlineStatus) -> pb.OnlineStatus:
    settings = value.learning.config
    return pb.OnlineStatus(
        start=value.learning.start,
        settings=pb.OnlineSettings(**{name: getattr(settings, name) for name in _FIELDS}),
        revision=value.revision,
        labels_known=value.labels_known,
        samples_learned=value.learned,
        samples_left=value.left,
        rebuilding=value.rebuilding,
        error=value.error,
    )
