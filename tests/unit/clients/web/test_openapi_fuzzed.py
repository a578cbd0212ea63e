"""Requests that Schemathesis makes up from openapi.json, with every role: each is answered as the document says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import haleganada_client
import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from haleganada_server.config import ServerConfig
from haleganada_server.core.access.identity import Role
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import run_server
from tests.support.tokens import add_token

schemathesis: Any = pytest.importorskip("schemathesis")
checks: Any = pytest.importorskip("schemathesis.specs.openapi.checks")
CHECKS = [
    pytest.importorskip("schemathesis.checks").not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
OPENAPI = Path(haleganada_client.__file__).parent / "web/static/openapi.json"
DESCRIPTION = json.loads(OPENAPI.read_text(encoding="utf-8"))
OPERATIONS = [(method, path) for path, found in DESCRIPTION["paths"].items() for method in found]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A server's address, and a token of each role."""
    data = tmp_path_factory.mktemp("data")
    made = {role.word: add_token(data, role.word, role) for role in Role}
    running = run_server(ServerConfig(data, port=0, device="cpu"))
    yield running.address, made
    running.stop()


@pytest.fixture(scope="module")
def described(tokens: tuple[str, dict[str, str]]) -> Iterator[Any]:
    with HaleganadaClient(tokens[0]) as client:
        schema = schemathesis.openapi.from_dict(DESCRIPTION)
        schema.app = create_app(client)
        yield schema


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_described(
    described: Any, tokens: tuple[str, dict[str, str]], method: str, path: str
) -> None:
    @settings(suppress_health_check=list(HealthCheck))
    @given(case=described[path][method].as_strategy(), role=st.sampled_from([*tokens[1], ""]))
    def ask(case: Any, role: str) -> None:
        shown = {"Authorization": f"Bearer {tokens[1][role]}"} if role else {}
        answer = case.call(headers={"Accept-Encoding": "identity", **shown})
        case.validate_response(answer, checks=CHECKS)

    ask()
