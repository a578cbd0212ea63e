"""Whose limits hold for whom, also after they have changed."""

from __future__ import annotations

from haleganada_server.core.shares.effective import EffectiveLimits
from haleganada_server.core.shares.limits import BOX, LAPTOP, Scope, limit_names
from haleganada_server.core.shares.overrides import Overrides
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kept import Kept

NAMES = st.sampled_from(["anna", "ben"])
CALLER_VALUES = st.dictionaries(
    st.sampled_from(list(limit_names(Scope.CALLER).values())), st.none() | st.integers(1, 9), min_size=1
)


def test_others_keep_the_limits_of_the_server() -> None:
    overrides = Overrides({"anna": {"calls_per_second": 5}}, {"kannada": {"workspace_samples": None}})
    limits = EffectiveLimits(BOX, Kept(overrides))
    assert limits.of_caller("anna").calls_per_second == 5 and limits.of_caller("ben") == BOX
    assert limits.of_caller("anna").queued_jobs == BOX.queued_jobs
    assert limits.of_workspace("kannada").samples is None
    assert limits.of_workspace("kannada").labels == limits.of_workspace("tulu").labels == BOX.workspace_labels
    assert limits.of_caller("kannada") == BOX, "names of workspaces are none of callers"


def test_changes_hold_from_the_next_look_on() -> None:
    kept = Kept(Overrides())
    limits = EffectiveLimits(LAPTOP, kept)
    assert not limits.is_bounded("calls_per_second")
    kept.change(Overrides({"anna": {"calls_per_second": 5}}))
    limits.look()
    assert limits.is_bounded("calls_per_second") and limits.of_caller("anna").calls_per_second == 5
    kept.change(Overrides())
    limits.look()
    assert not limits.is_bounded("calls_per_second") and limits.of_caller("anna") == LAPTOP


@given(st.lists(st.tuples(NAMES, CALLER_VALUES), max_size=6))
def test_what_was_set_last_holds_until_it_is_cleared(steps: list[tuple[str, dict[str, float | None]]]) -> None:
    overrides, expected = Overrides(), dict[str, dict[str, float | None]]()
    for name, values in steps:
        overrides = overrides.set(Scope.CALLER, name, values)
        expected.setdefault(name, {}).update(values)
    assert overrides.callers == expected and not overrides.workspaces
    for name, values in expected.items():
        first = next(iter(values))
        kept = overrides.clear(Scope.CALLER, name, [first]).callers.get(name, {})
        assert kept == {field: value for field, value in values.items() if field != first}
        overrides = overrides.clear(Scope.CALLER, name)
    assert not overrides
