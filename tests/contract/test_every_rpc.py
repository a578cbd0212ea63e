"""Every RPC of the contract has a test that bears its name, in the file of its service."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SERVICES = sorted(path.stem for path in HERE.parents[1].glob("proto/haleganada/v1/*_service.proto"))


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_has_a_test(service: str) -> None:
    described = import_module(f"haleganada.v1.{service}_pb2").DESCRIPTOR.services_by_name.values()
    names = [method.name for one in described for method in one.methods]
    tests = (HERE / "services" / f"test_{service}.py").read_text(encoding="utf-8")
    tested = set(re.findall(r"^def test_(\w+)\(", tests, re.MULTILINE))
    assert names and {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in names} <= tested


def test_every_service_is_found() -> None:
    assert len(SERVICES) >= 6
