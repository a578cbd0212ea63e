"""What a server tells about an engine that reads text."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.models.card import ModelCard

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

    @classmethod
    def of_model(cls, engine: str, card: ModelCard) -> EngineInfo:
        """Return the engine that a model is which reads lines. It has no language: it reads what it was trained on."""
        return cls(
            engine=engine,
            display_name=card.name,
            version=card.preset,
            modes=(ReadMode.PRINTED, ReadMode.HANDWRITTEN),
            languages=(),
            installed=True,
            install_hint="",
        )
