"""Labels as text: whether linking two of them changes what recognized text says."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

_FEW, _MANY_TIMES = 2, 10  # labels of a script that are taken for slips, and how much more frequent another one is


def differ_as_text(form: str, canonical: str) -> bool:
    """Return True if both labels are written in the same script and say different things, as ಆ and ಅ, or ಕಾ and ಕ.

    Upper and lower case, and ligatures of the same letters, say the same. Names such as “ಅ, old”, and words in Latin
    letters, are no text.
    """
    scripts = {_script(form), _script(canonical)}
    folded = {unicodedata.normalize("NFKC", label).casefold() for label in (form, canonical)}
    return "" not in scripts and len(scripts) == 1 and len(folded) == 2


def find_strangers(labels: Iterable[str]) -> dict[str, str]:
    """Return label -> its script, for the few labels that are written in another script than nearly all others.

    One or two of a script, where another has at least ten times as many, are mostly slips: ఠ (Telugu) for ಠ (Kannada).
    """
    scripts = {label: _script(label) for label in labels}
    count = Counter(script for script in scripts.values() if script)
    most = max(count.values(), default=0)
    return {
        label: script.title()
        for label, script in scripts.items()
        if script and count[script] <= _FEW and most >= _MANY_TIMES * count[script]
    }


def find_script(label: str) -> str:
    """Return the script of a label's letters and marks, such as “Kannada”; "" for digits, signs and mixed labels."""
    return _script(label).title()


def _script(label: str) -> str:
    """Return the one script of a label's letters and marks, by its Unicode name; "" for any other label."""
    if not all(unicodedata.category(character)[0] in "LM" for character in label):
        return ""
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in label}
    is_name = scripts == {"LATIN"} and len(label) > 1
    return scripts.pop() if len(scripts) == 1 and not is_name else ""
