"""The lines of the server's log."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import TracebackType

from haleganada_server.core.access.identity import Role
from haleganada_server.core.access.tokens import make_token
from haleganada_server.logs import JsonFormatter, LogFields, OneLineFormatter
from hypothesis import given
from hypothesis import strategies as st

Failure = tuple[type[BaseException], BaseException, TracebackType | None]


def line(formatter: logging.Formatter, message: object, failure: Failure | None = None) -> str:
    """What a formatter makes of an event."""
    return formatter.format(logging.LogRecord("haleganada_server.rpc.x", logging.WARNING, "", 0, message, (), failure))


@given(st.text(), st.text())
def test_a_json_line_is_one_line_and_gives_back_its_values(workspace: str, other: str) -> None:
    written = line(JsonFormatter(), LogFields(method="Predict", workspace=workspace, other=other, ms=1.25))
    assert "\n" not in written and "\r" not in written
    found = json.loads(written)
    assert (found["workspace"], found["other"], found["ms"]) == (workspace, other, 1.25)
    assert (found["level"], found["logger"]) == ("warning", "rpc.x") and found["time"].endswith("Z")


@given(st.text())
def test_other_messages_are_a_value_of_the_line(message: str) -> None:
    record = logging.LogRecord("haleganada_server.rpc.x", logging.INFO, "", 0, "it says %s", (message,), None)
    assert json.loads(JsonFormatter().format(record))["message"] == f"it says {message}"


def test_text_quotes_what_users_choose() -> None:
    written = line(OneLineFormatter(), LogFields(method="Predict", workspace='two\nlines" code=OK', ms=1.25))
    assert written.endswith(r'rpc.x method=Predict workspace="two\\nlines\\" code=OK" ms=1.25')


@given(st.text(), st.sampled_from([JsonFormatter(), OneLineFormatter()]))
def test_no_line_has_a_token(around: str, formatter: logging.Formatter) -> None:
    """Not even that of somebody who gave it as a name."""
    shown = make_token("anna", Role.READ, (), 1)[1]
    secret = shown.split("_", 2)[2]
    written = line(formatter, LogFields(workspace=f"{around} {shown} {around}", call_id=shown))
    assert secret not in written and written.count(shown.removesuffix(secret)) >= 2


def test_tracebacks_do_not_say_where_the_server_is_installed() -> None:
    for formatter in (JsonFormatter(), OneLineFormatter()):
        written = line(formatter, "it failed", _failure_within_the_package())
        assert "haleganada_server" in written and "Traceback" in written
        assert str(Path(sys.modules["haleganada_server"].__path__[0]).parent) not in written


def _failure_within_the_package() -> Failure:
    from haleganada_server.core.labels import workspace_name

    try:
        workspace_name(7)  # type: ignore[arg-type]
    except Exception as error:
        return type(error), error, error.__traceback__
    raise AssertionError("a number is no name")
