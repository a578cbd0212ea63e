"""Arguments that cannot be sent: every method names the wrong one, in an error of ours, before anything is sent."""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from haleganada_client import HaleganadaClient, HaleganadaError, InvalidInput, WrongType

NOWHERE = "127.0.0.1:1"
SOUND: dict[str, Any] = {
    "canonical": "b",
    "confirm": "default",
    "dataset": "letters",
    "dataset_id": "letters",
    "document": b"x",
    "documents": [b"x"],
    "drawing": b"x",
    "drawings": [b"x"],
    "end": (2.0, 2.0),
    "epochs": 3,
    "form": "a",
    "glyph_id": 1,
    "glyph_ids": [1, 2],
    "job_id": "j",
    "label": "a",
    "lessons": [(b"x", "a")],
    "model": "m",
    "model_id": "m",
    "models": ["m"],
    "name": "n",
    "path": __file__,
    "prediction_id": "p",
    "preset": "cnn36",
    "reading_id": "r",
    "sample_id": 1,
    "snapshot_id": "s",
    "source": __file__,
    "start": (1.0, 1.0),
    "text": "a",
}
STRANGE: dict[str, object] = {
    "half of a character": "\ud800",
    "a null character": "a\0b",
    "a huge number": 10**20,
    "a number that Python does not even print": 10**5000,
    "a huge negative number": -(10**20),
    "a fraction": 3.5,
    "no number": math.nan,
    "infinite": math.inf,
    "an object": object(),
    "bytes": b"\xff\xfe",
    "a list": [None],
    "a list of halves": ["\ud800"],
    "a mapping": {},
    "None": None,
    "a file of text": io.StringIO("x"),
}


def methods(client: HaleganadaClient) -> Iterator[tuple[str, Callable[..., Any]]]:
    for part in (client, client.datasets, client.jobs, client.models, client.readings):
        for name, value in inspect.getmembers(part, callable):
            if not name.startswith("_") and name != "close":
                yield f"{type(part).__name__}.{name}", value


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE.keys())
def test_every_argument_is_checked(strange: object, tmp_path: Path) -> None:
    tried = 0
    with HaleganadaClient(NOWHERE, retry=False) as client:
        for method_name, method in methods(client):
            parameters = inspect.signature(method).parameters
            sound = {**SOUND, "target": tmp_path / "out", "format": "words" if "Readings" in method_name else "jsonl"}
            required = {name: sound[name] for name, each in parameters.items() if each.default is each.empty}
            for name in parameters:
                tried += 1
                with pytest.raises((HaleganadaError, OSError)) as refusal:
                    result = method(**{**required, name: strange})
                    list(result if inspect.isgenerator(result) else ())
                    raise HaleganadaError("a document that was refused", field=name)  # in its place among the results
                error = refusal.value
                if isinstance(error, HaleganadaError) and error.reason != "NO_SERVER":
                    assert error.field or name in error.message, f"{method_name}({name}): {error}"
    assert tried > 150


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("target", 5, WrongType),
        ("target", "\ud800", InvalidInput),
        ("workspace", b"x", WrongType),
        ("token", ["x"], WrongType),
        ("timeout_s", "soon", WrongType),
        ("timeout_s", 0, InvalidInput),
        ("timeout_s", math.nan, InvalidInput),
        ("tls", 5, WrongType),
        ("tls", "a\0b", InvalidInput),
    ],
)
def test_a_client_checks_its_own_arguments(name: str, value: object, kind: type[HaleganadaError]) -> None:
    with pytest.raises(kind) as refusal:
        HaleganadaClient(**{name: value})  # type: ignore[arg-type]
    assert refusal.value.field == name and name in refusal.value.message


def test_what_is_of_a_wrong_type_is_a_type_error() -> None:
    with HaleganadaClient(NOWHERE) as client:
        for call, name in (
            (lambda: client.train(b"x", 5), "label"),  # type: ignore[arg-type]
            (lambda: client.train(5, "a"), "drawing"),  # type: ignore[arg-type]
            (lambda: client.predict(None), "drawing"),  # type: ignore[arg-type]
            (lambda: client.predict_batch([b"x", None]), r"drawings\[1\]"),  # type: ignore[list-item]
            (lambda: client.train_batch([(b"x", "a", "", ""), (b"x", 5, "", "")]), r"lessons\[1\].label"),  # type: ignore[list-item]
            (lambda: client.read_many("scan.png"), "documents"),
            (lambda: client.read(5), "document"),  # type: ignore[arg-type]
        ):
            with pytest.raises(TypeError, match=f"^{name}: must be ") as refusal:
                call()
            assert isinstance(refusal.value, InvalidInput)


def test_numbers_and_characters_that_no_message_has_are_told_with_their_field() -> None:
    with HaleganadaClient(NOWHERE) as client:
        for call, message in (
            (lambda: client.train(b"x", "a\ud800"), r"^label: contains U\+D800 \(at position 2\)"),
            (lambda: client.get_sample(10**20), "^sample_id: is out of range"),
            (lambda: client.predict(b"x", top_k=10**12), "^top_k: is out of range"),
        ):
            with pytest.raises(InvalidInput, match=message) as refusal:
                call()
            assert refusal.value.message.startswith(refusal.value.field + ":")
