"""Names that can be used in place of a model's id in every workspace."""

from __future__ import annotations

FEW_SHOT = "few-shot"
"""A workspace's own head."""

ONLINE = "online"
"""The network that learns online with a workspace."""
