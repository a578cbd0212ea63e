"""What a server tells about an engine that reads text."""

from __future__ import annotations

from dataclasses import dataclass

from .options import ReadMode


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """An engine. engine: its id. version: "" if it is not installed. languages: those that are installed, as ISO 639
    codes where there is one. install_hint: what to install to use it, or to add languages to it.
    """

    engine: str
    display_name: str
    version: str
    modes: tuple[ReadMode, ...]
    languages: tuple[str, ...]
    installed: bool
    install_hint: str
