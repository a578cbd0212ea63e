"""Parameters of tests that `make test` leaves to `make test-slow`."""

from __future__ import annotations

from typing import Any

import pytest
from _pytest.mark import ParameterSet


def slow(*values: Any) -> list[ParameterSet]:
    """Return each value as a parameter of a slow test."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def slow_rows(*rows: tuple[Any, ...]) -> list[ParameterSet]:
    """Return each row as the several parameters of a slow test."""
    return [pytest.param(*row, marks=pytest.mark.slow) for row in rows]
