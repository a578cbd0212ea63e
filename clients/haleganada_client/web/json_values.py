"""Dataclasses as JSON values, with their own field names."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any


def to_json(value: Any) -> Any:
    """Turn dataclasses, enums, times and tuples into what JSON knows; bytes are left out."""
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {key: to_json(item) for key, item in named.items() if not isinstance(item, bytes)}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value
