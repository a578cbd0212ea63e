"""Names that stand for a model in every workspace, wherever one is named."""

from __future__ import annotations

FEW_SHOT = "few-shot"
"""A workspace's own head."""

ONLINE = "online"
"""The network that learns along with a workspace."""
