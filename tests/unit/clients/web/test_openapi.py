"""openapi.json describes what the routes take and answer, refusals included."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from haleganada_client.web.routes import rest
from haleganada_client.web.routes.reading import corrections, ocr
from jsonschema import Draft202012Validator

from tests.unit.clients.web.conftest import data_url


@pytest.fixture
def described(web: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = web.get("/openapi.json").get_json()
    return found


def check(described: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    Draft202012Validator({**schema, "components": described["components"]}).validate(value)


def test_every_answer_is_as_described(web: FlaskClient, workspace: str, described: dict[str, Any]) -> None:
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("post", "/predict", {"image": data_url()}),  # before anything is taught
        ("post", "/train", {"image": data_url(), "char": "ಅ", "variant_of": None}),
        ("post", "/train", {"image": data_url("box"), "char": "ಆ"}),
        ("post", "/link_variants", {"char1": "ಅ", "char2": "ಆ"}),
        ("post", "/predict", {"image": data_url(shift=3)}),
        ("post", "/predict/batch", {"drawings": [{"image": data_url(shift=3)}, {"image": "AAAA"}], "top_k": 1}),
        ("get", "/samples", None),
        ("get", "/samples/1", None),
        ("post", "/samples/1/relabel", {"char": "ಇ"}),
        ("post", "/samples/1/forget", None),
        ("get", "/stats", None),
        ("get", "/export_data", None),
        ("get", "/api/health", None),
        ("post", "/save", {}),
        ("post", "/reset", {"confirm": workspace}),
        ("get", "/stats", None),
    ]
    for method, path, body in calls:
        operation = described["paths"][path.replace("/1", "/{sample_id}")][method]
        if body is not None:
            check(described, operation["requestBody"]["content"]["application/json"]["schema"], body)
        answer = web.open(path, method=method.upper(), json=body)
        assert answer.status_code == 200, answer.text
        check(described, operation["responses"]["200"]["content"]["application/json"]["schema"], answer.get_json())
    apart = ("/api/ocr", "/api/readings", "/correct", "/samples/{sample_id}.png")  # see test_ocr.py and test_rest.py
    called = {path.replace("/1", "/{sample_id}") for _, path, _ in calls}
    assert called == {path for path in described["paths"] if not path.startswith(apart)}


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/train", {"json": {"char": "a"}}, 400),
        ("/reset", {"json": {}}, 409),
        ("/reset", {"data": "{}", "content_type": "text/plain"}, 415),
        ("/train", {"json": {}, "headers": {"Origin": "http://evil.example"}}, 403),
        ("/predict?workspace=nowhere", {"json": {"image": data_url()}}, 404),
    ],
)
def test_every_refusal_is_as_described(
    web: FlaskClient, described: dict[str, Any], path: str, options: dict[str, Any], status: int
) -> None:
    answer = web.post(path, **options)
    assert answer.status_code == status
    check(described, {"$ref": "#/components/schemas/Error"}, answer.get_json())


def test_every_route_is_described(web: FlaskClient, described: dict[str, Any]) -> None:
    app: Flask = web.application
    ours = tuple(f"{room.blueprint.name}." for room in (rest, ocr, corrections))
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(ours)}
    public = {re.sub("<(?:int:)?([^>]+)>", r"{\1}", rule) for rule in routes if not rule.startswith("/page/")}
    assert set(described["paths"]) == public - {"/openapi.json"}
