"""The reasons of errors: the contract, core/error_reasons.py and what the server raises are the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import haleganada_server
from haleganada.v1 import error_reason_pb2 as pb
from haleganada_server.core.error_reasons import Reason, StartReason

SERVER = Path(haleganada_server.__file__).parent
PROTO = Path(__file__).parents[2] / "proto/haleganada/v1"
PREFIX = "ERROR_REASON_"
WORDS = {*Reason, *StartReason}


def test_the_contract_has_the_reasons_of_the_server_in_the_same_order() -> None:
    named = [name.removeprefix(PREFIX) for name, number in pb.ErrorReason.items() if number]
    assert named == [reason.value for reason in Reason]
    assert all(reason.value == reason.name for reason in WORDS)


def test_every_reason_is_raised_somewhere() -> None:
    assert {str(reason) for reason in WORDS} == set(find_used_reasons())


def test_no_other_place_spells_a_reason() -> None:
    for path, node in nodes():
        if isinstance(node, ast.Constant):
            assert node.value not in WORDS, f"{path}:{node.lineno} should name a member of Reason"


def test_every_reason_says_which_status_it_has_and_what_to_do() -> None:
    text = (PROTO / "error_reason.proto").read_text(encoding="utf-8")
    comments = re.findall(rf"((?:  // .*\n)+)  {PREFIX}(\w+) = [1-9]", text)
    assert [name for _, name in comments] == [reason.value for reason in Reason]
    statuses = r"[A-Z_]+( or DATA_LOSS)?(, of one item)?|Of a (job|training)(, or (RESOURCE_EXHAUSTED|DATA_LOSS))?"
    for comment, name in comments:
        words = " ".join(line.strip("/ \n") for line in comment.splitlines())
        assert re.match(rf"({statuses})\. \S.*\.", words), name


def test_every_call_says_which_errors_it_has() -> None:
    for path in PROTO.glob("*_service.proto"):
        calls = re.findall(r"((?:  //.*\n)+)  rpc (\w+)\(", path.read_text(encoding="utf-8"))
        assert calls
        for comment, name in calls:
            what, errors, role = re.sub(r"\s*\n?  // ?", " ", comment.replace("  //\n", "  // ¶\n")).split("¶")
            assert re.fullmatch(r" [A-Z][a-z]+s .*\. ", what), name
            assert errors.startswith(" Errors: ") and errors.rstrip().endswith("."), name
            assert re.fullmatch(r" Role: [a-z]+\.\s*", role), name
            assert set(re.findall(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+", errors)) <= {reason.value for reason in Reason}, name


def test_a_word_that_is_not_known_is_an_internal_error() -> None:
    assert Reason.of("OUT_OF_MEMORY") is Reason.OUT_OF_MEMORY
    words: list[object] = ["NEW_WORD", "", None, 7, []]
    assert {Reason.of(word) for word in words} == {Reason.INTERNAL}


def find_used_reasons() -> Iterator[str]:
    for _, node in nodes():
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("Reason", "StartReason") and node.attr.isupper():
                yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NotFound":
            kind = node.args[0]
            assert isinstance(kind, ast.Constant) and isinstance(kind.value, str)
            yield f"{kind.value.upper()}_NOT_FOUND"


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    """Return what may name a reason in the server's code, with its file."""
    return [
        (path, node)
        for path in SERVER.rglob("*.py")
        if path.name != "error_reasons.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Constant, ast.Attribute, ast.Call))
    ]
