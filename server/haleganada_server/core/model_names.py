"""Names that can be used in place of a model's id in every workspace."""

from __future__ import annotations

FEW_SHOT = "few-shot"
"""A workspace's own head."""

ONLINE = "online"
"""The network that learns online with a workspace."""

UNREADABLE = "unreadable"
"""Stands for a workspace's active model as long as nobody knows which one that is, because the record is damaged."""

LINE_ENGINE = "model:"
"""Begins the name of an engine that reads pages with a model of lines; the model's id or name follows."""
