"""Which form stands for which canonical label.

A form is what was drawn (ಕಿ), a canonical label what it stands for (ಕ). Links are one level deep: a form points to a
label that points nowhere. Immutable: each change gives a new Variants, so that concurrent readers always see a
consistent one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition


@dataclass(frozen=True)
class Variants:
    """canonical_of: form -> canonical label, in the order in which they were linked."""

    canonical_of: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def _forms_of(self) -> Mapping[str, tuple[str, ...]]:
        """Return canonical label -> its other forms, in the order in which they were linked."""
        forms: dict[str, list[str]] = {}
        for form, canonical in self.canonical_of.items():
            forms.setdefault(canonical, []).append(form)
        return {canonical: tuple(found) for canonical, found in forms.items()}

    def canonical(self, label: str) -> str:
        """Return the label that a label stands for: itself unless it is linked."""
        return self.canonical_of.get(label, label)

    def forms(self, label: str) -> tuple[str, ...]:
        """Return all labels of the group that `label` belongs to, the canonical one first."""
        head = self.canonical(label)
        return (head, *self._forms_of.get(head, ()))

    def count_letters(self, labels: Collection[str]) -> int:
        """Return how many different letters distinct labels stand for: all forms of one count once."""
        return len(set(map(self.canonical, labels))) if self.canonical_of else len(labels)

    def count_groups(self) -> int:
        """Return the number of groups with two or more forms."""
        return len(self._forms_of)

    def resolve(self, form: str, canonical: str) -> str:
        """Return the canonical label that a form would stand for if it were linked to `canonical`.

        Raises Precondition if that is the form itself, if the form is already linked to another label, or if it has
        forms of its own.
        """
        target = self.canonical(canonical)
        if target == form:
            raise Precondition(
                f"“{form}” cannot be a form of “{canonical}”: that would be a circle; unlink “{canonical}” first"
                if canonical != form
                else f"“{form}” cannot be a form of itself",
                Reason.VARIANT_CYCLE,
            )
        if form in self.canonical_of and self.canonical_of[form] != target:
            raise Precondition(
                f"“{form}” is already a form of “{self.canonical_of[form]}”; unlink it first", Reason.ALREADY_LINKED
            )
        if form in self._forms_of:
            raise Precondition(
                f"“{form}” has forms of its own; unlink them first, or link “{target}” to it instead", Reason.HAS_FORMS
            )
        return target

    def with_link(self, form: str, canonical: str) -> Variants:
        """Return variants in which the form stands for canonical; "" = for itself."""
        links = {f: c for f, c in self.canonical_of.items() if f != form}
        if canonical:
            links[form] = canonical
        return Variants(MappingProxyType(links))
