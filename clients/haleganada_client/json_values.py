"""The SDK's dataclasses as JSON values, with their own field names."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any


def to_json_value(value: Any) -> Any:
    """Convert dataclasses, enums and times to JSON values; leave pictures out; replace NaN and infinities by null."""
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: to_json_value(item) for name, item in named.items() if not isinstance(item, bytes)}
    if isinstance(value, dict):
        return {key: to_json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json_value(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, datetime) else value
