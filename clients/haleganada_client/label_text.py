"""Labels as text: whether linking two of them changes what recognized text says."""

from __future__ import annotations

import unicodedata


def differ_as_text(form: str, canonical: str) -> bool:
    """Return True if both labels are written in the same script and say different things, as ಆ and ಅ, or ಕಾ and ಕ.

    Upper and lower case, and ligatures of the same letters, say the same. Names such as “ಅ, old”, and words in Latin
    letters, are no text.
    """
    scripts = {_script(form), _script(canonical)}
    folded = {unicodedata.normalize("NFKC", label).casefold() for label in (form, canonical)}
    return "" not in scripts and len(scripts) == 1 and len(folded) == 2


def _script(label: str) -> str:
    """Return the one script of a label's letters and marks, by its Unicode name; "" for any other label."""
    if not all(unicodedata.category(character)[0] in "LM" for character in label):
        return ""
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in label}
    is_name = scripts == {"LATIN"} and len(label) > 1
    return scripts.pop() if len(scripts) == 1 and not is_name else ""
