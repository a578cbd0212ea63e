"""What must hold before an engine that comes with an extra of this server reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.installation import describe_install

from .languages import iso_code, join, tesseract_name


def require_installed(engine: str, installed: bool, extra: str) -> None:
    """Raise Precondition if an engine is not installed. extra: with which it comes."""
    if not installed:
        raise Precondition(
            f"the engine {engine} is not installed; run {describe_install(extra)} where the server runs",
            Reason.ENGINE_NOT_INSTALLED,
        )


def require_languages(engine: str, languages: Sequence[str], known: Collection[str]) -> None:
    """Raise Precondition if an engine does not know all of these languages. known: as iso_code names them."""
    unknown = [language for language in languages if iso_code(tesseract_name(language)) not in known]
    if unknown:
        raise Precondition(
            f"the engine {engine} cannot read {join(unknown)}; leave the engine out, or name another",
            Reason.LANGUAGE_NOT_INSTALLED,
        )
