"""Sizes on the command line: 500M, 4G, or none."""

from __future__ import annotations

import re

import click

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Size(click.ParamType[int | None]):
    """A number of bytes with K, M, G or T (powers of 1,024), as an int; “none” as None."""

    name = "SIZE"

    def convert(self, value: str | int | None, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value is None or isinstance(value, int):
            return value
        if value.casefold() == "none":
            return None
        found = re.fullmatch(r"(\d{1,15})([KMGT]?)", value.upper())
        if not found or not int(found[1]):
            self.fail(f"“{value}” is not a size such as 500M or 4G, or none", param, ctx)
        return int(found[1]) * _UNITS[found[2]]
