"""Whether two labels that are linked say different things, so that linking them changes what is read."""

from __future__ import annotations

import unicodedata


def differ_as_text(form: str, canonical: str) -> bool:
    """Whether both are written in letters of one script and say different things, as ಆ and ಅ, or ಕಾ and ಕ; capitals and
    ligatures of a letter do not. Names like “ಅ, old”, and words of Latin letters, are taken for no text.
    """
    scripts = {_script(form), _script(canonical)}
    folded = {unicodedata.normalize("NFKC", label).casefold() for label in (form, canonical)}
    return "" not in scripts and len(scripts) == 1 and len(folded) == 2


def _script(label: str) -> str:
    """The one whose letters and signs alone it is written in, as Unicode names it; "" if there is none."""
    if not all(unicodedata.category(character)[0] in "LM" for character in label):
        return ""
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in label}
    named = scripts == {"LATIN"} and len(label) > 1
    return scripts.pop() if len(scripts) == 1 and not named else ""
