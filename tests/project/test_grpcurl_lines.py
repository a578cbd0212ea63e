"""The grpcurl lines of docs/using/languages.md name what the contract has, and send what its messages can hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, json_format, message_factory
from haleganada.v1 import ocr_service_pb2  # noqa: F401 - registers the contract

PAGE = (Path(__file__).parents[2] / "docs" / "using" / "languages.md").read_text(encoding="utf-8")
CALLS = re.findall(r"-d ('|\")(\{.*?\})\1[ \\\n]+\S+ (haleganada\.v1\.\w+)/(\w+)", PAGE, re.DOTALL)
POOL = descriptor_pool.Default()


@pytest.mark.parametrize("name", re.findall(r"describe (\S+)", PAGE))
def test_what_is_described_exists(name: str) -> None:
    if name.endswith("Request"):
        POOL.FindMessageTypeByName(name)  # or raise
    else:
        POOL.FindMethodByName(name)


@pytest.mark.parametrize(("quote", "text", "service", "method"), CALLS, ids=[call[3] for call in CALLS])
def test_what_is_sent_is_a_message(quote: str, text: str, service: str, method: str) -> None:
    if quote == '"':
        text = re.sub(r"\$\(.*?\)", "aW1hZ2U=", text.replace('\\"', '"'))
    request = message_factory.GetMessageClass(POOL.FindServiceByName(service).methods_by_name[method].input_type)
    assert json_format.Parse(text, request()).ByteSize()


def test_the_lines_are_found() -> None:
    assert [call[3] for call in CALLS] == ["Train", "Predict"]
