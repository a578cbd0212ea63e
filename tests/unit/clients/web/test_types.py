"""The types that the page's scripts are checked with are those of the client."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import haleganada_client.training.datasets
import haleganada_client.training.evaluation
import haleganada_client.training.jobs
import haleganada_client.training.models
import haleganada_client.types
import pytest
from haleganada.v1.error_reason_pb2 import ErrorReason

CLIENTS = Path(__file__).parents[4] / "clients"
TYPES = CLIENTS / "types" / "server.d.ts"
ERRORS = CLIENTS / "haleganada_client" / "web" / "static" / "server" / "errors.js"
NOT_THE_SERVERS = {"REQUEST_ENTITY_TOO_LARGE", "PAGE_OUTDATED", "TOO_MANY_UPLOADS", "USER_UNKNOWN", "NO_SERVER"}
MODULES = (
    haleganada_client.types,
    haleganada_client.training.datasets,
    haleganada_client.training.models,
    haleganada_client.training.jobs,
    haleganada_client.training.evaluation,
)
CLASSES = {
    name: kind for module in MODULES for name, kind in vars(module).items() if dataclasses.is_dataclass(kind)
}  # fmt: skip
OF_DATACLASSES = TYPES.read_text(encoding="utf-8").partition("// Not dataclasses")[0]
INTERFACES = dict(re.findall(r"^interface (\w+) \{\n(.*?)^\}", OF_DATACLASSES, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("name", INTERFACES)
def test_interfaces_have_fields_of_dataclasses(name: str) -> None:
    fields = set(re.findall(r"^  (\w+)\??:", INTERFACES[name], re.MULTILINE))
    assert fields and fields <= {field.name for field in dataclasses.fields(CLASSES[name])}


def test_interfaces_were_found() -> None:
    assert {"Prediction", "Stats", "Dataset", "Model", "Job", "TrainingSettings"} <= set(INTERFACES)


def test_decisions_and_states_are_the_enums_values() -> None:
    decisions = {one.value for one in haleganada_client.types.Decision}
    states = {one.value for one in haleganada_client.training.jobs.JobState}
    assert _values("Prediction", "decision") == decisions and _values("Job", "state") == states


def test_errors_have_reasons_of_the_contract() -> None:
    """The page's own server and the client have reasons beside them."""
    reasons = set(re.findall(r"^  ([A-Z_]+[A-Z]): ", ERRORS.read_text(encoding="utf-8"), re.MULTILINE))
    known = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.DESCRIPTOR.values_by_name}
    assert reasons > NOT_THE_SERVERS and reasons <= known | NOT_THE_SERVERS


def _values(interface: str, field: str) -> set[str]:
    line = re.search(rf"^  {field}: (.*);$", INTERFACES[interface], re.MULTILINE)
    return set(re.findall(r'"(\w+)"', line[1])) if line else set()
