"""docs/reference/python.md: the public classes of haleganada_client, from their signatures and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import haleganada_client
from haleganada_client import (
    async_client,
    client,
    connecting,
    errors,
    starter,
    types,
)
from haleganada_client.calls.dual import dual_iterator, dual_method
from haleganada_client.connection import config
from haleganada_client.labeled import label_file
from haleganada_client.reading import readings
from haleganada_client.reading import types as reading_types
from haleganada_client.training import datasets, evaluation, jobs, models
from haleganada_client.wire import transfers

from docs.generate.markdown import code_block

_INTRODUCTION = """\
# The Python package

`haleganada_client` needs neither torch nor numpy. Everything below can be imported from it, except where another module
is named. [The notebook](../using/notebook.ipynb) shows how to use it.

```python
from pathlib import Path
from haleganada_client import HaleganadaClient

with HaleganadaClient() as client:
    client.train(Path("drawing.png"), "ಅ")
    print(client.predict(Path("another.png")).best)
```"""
_CLIENTS: tuple[tuple[str, type], ...] = (
    ("HaleganadaClient", client.HaleganadaClient),
    ("client.datasets", datasets.DatasetsClient),
    ("client.jobs", jobs.JobsClient),
    ("client.models", models.ModelsClient),
    ("client.readings", readings.ReadingsClient),
)
_VALUES = (
    ("Drawings, predictions and samples", types),
    ("Reading documents", reading_types),
    ("Data sets", datasets),
    ("Jobs", jobs),
    ("Models", models),
    ("Evaluation results", evaluation),
)


def render() -> str:
    """Return the page."""
    parts = [_INTRODUCTION]
    for title, kind in _CLIENTS:
        parts += [f"## {title}", *_describe_client(title, kind)]
    parts += ["## AsyncHaleganadaClient", _docstring(async_client.AsyncHaleganadaClient)]
    parts += ["## connect", *_describe_function("connect", connecting.connect)]
    parts += ["## ClientConfig", *_describe_dataclass(config.ClientConfig)]
    parts += ["## haleganada_client.starter", *_describe_function("teach_starter", starter.teach_starter)]
    parts += ["## Callbacks and aliases", *_describe_aliases()]
    for title, module in _VALUES:
        parts.append(f"## {title}")
        for kind in _public_classes(module):
            parts += [f"### {kind.__name__}", *_describe_value(kind)]
    parts += ["## Errors", *_describe_errors()]
    return "\n\n".join(parts)


def _public_classes(module: Any) -> list[type]:
    """Return a module's exported classes and the dataclasses that they refer to, in the order of definition."""
    clients = {kind for _, kind in _CLIENTS}
    return [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and kind.__module__ == module.__name__
        and kind not in clients
        and not kind.__name__.startswith("_")
        and not getattr(kind, "_is_protocol", False)
        and (kind.__name__ in dir(haleganada_client) or dataclasses.is_dataclass(kind))
    ]


def _describe_client(title: str, kind: type) -> Iterator[str]:
    yield _docstring(kind)
    if title == kind.__name__:
        yield from _describe_function(kind.__name__, vars(kind)["__init__"])
    for name, function in _list_methods(kind).items():
        yield f"### {title}.{name}" if title != kind.__name__ else f"### {name}"
        yield from _describe_function(name, function)


def _list_methods(kind: type) -> dict[str, Callable[..., Any]]:
    """Return a client's methods, also those of its base classes, in the order of definition."""
    found = {name: value for base in kind.__mro__ for name, value in vars(base).items() if not name.startswith("_")}
    functions = {
        name: value.operation if isinstance(value, (dual_method, dual_iterator)) else value
        for name, value in found.items()
    }
    return {name: function for name, function in functions.items() if inspect.isfunction(function)}


def _describe_function(name: str, function: Any) -> Iterator[str]:
    yield _signature(name, function)
    yield _docstring(function)


def _describe_aliases() -> Iterator[str]:
    yield f"`Picture`: {' '.join(_text_after('Picture', types).split())}"
    yield f"`Drawing`: {' '.join(_text_after('Drawing', types).split())}"
    yield f"`Document`: {' '.join(_text_after('Document', reading_types).split())}"
    yield f"`OnPage`, `Callable[[DocumentPage], None]`: {_text_after('OnPage', reading_types)}"
    yield f"`Labels`: {_text_after('Labels', label_file)}"
    yield f"`Target`: {_text_after('Target', transfers)}"
    yield f"`Source`: {_text_after('Source', transfers)}"
    yield f"`Progress` of exports and imports, `Callable[[int], None]`: {_text_after('Progress', transfers)}"
    yield f"`Progress` of data sets, `Callable[[int, int], None]`: {_text_after('Progress', datasets)}"


def _text_after(name: str, module: Any) -> str:
    """Return the string literal that follows the assignment of an alias."""
    body = ast.parse(inspect.getsource(module)).body
    for assignment, text in pairwise(body):
        if isinstance(assignment, ast.Assign) and ast.unparse(assignment.targets[0]) == name:
            assert isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            return str(text.value.value)
    raise LookupError(name)


def _describe_value(kind: type) -> Iterator[str]:
    if issubclass(kind, enum.Enum):
        yield code_block("\n".join(f"{member.name} = {_literal(member.value)}" for member in kind), "python")
        yield _docstring(kind)
    elif dataclasses.is_dataclass(kind):
        yield from _describe_dataclass(kind)
    else:  # a named tuple
        lines = [
            f"{name}: {getattr(annotation, '__forward_arg__', annotation)}"
            for name, annotation in kind.__annotations__.items()
        ]
        yield code_block("\n".join(lines), "python")
        yield _docstring(kind)


def _describe_dataclass(kind: type) -> Iterator[str]:
    yield _docstring(kind)
    comments = _field_docstrings(kind)
    lines = []
    for field in dataclasses.fields(kind):
        default = "" if field.default is dataclasses.MISSING else f" = {_literal(field.default)}"
        lines += [f"# {line}" for line in textwrap.wrap(comments.get(field.name, ""), 100)]
        lines.append(f"{field.name}: {field.type}{default}")
    yield code_block("\n".join(lines), "python")
    properties = {name: value for name, value in vars(kind).items() if isinstance(value, property)}
    for name, value in properties.items():
        yield f"`{name}`: {_docstring(value)}"
    for name, value in vars(kind).items():
        if isinstance(value, classmethod) and not name.startswith("_"):
            yield f"`{kind.__name__}.{name}()`: {_docstring(value)}"


def _field_docstrings(kind: type) -> dict[str, str]:
    """Return the string literals that follow the fields of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def _describe_errors() -> Iterator[str]:
    yield _docstring(errors.HaleganadaError)
    kinds = errors.HaleganadaError.__subclasses__()
    yield "\n".join(f"- `{kind.__name__}`: {' '.join(_docstring(kind).split())}" for kind in kinds)


def _signature(name: str, function: Any) -> str:
    """Return a signature as code, a line for each parameter if one line is too short. Annotations are strings here."""
    signature = inspect.signature(function)
    parameters = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    words, keyword_only = [], False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            words.append("*")
            keyword_only = True
        default = "" if parameter.default is parameter.empty else f" = {_literal(parameter.default)}"
        words.append(f"{parameter.name}: {_short(parameter.annotation)}{default}")
    result = "" if signature.return_annotation in (None, "None") else f" -> {_short(signature.return_annotation)}"
    line = f"{name}({', '.join(words)}){result}"
    if len(line) > 110:
        line = f"{name}(\n" + "".join(f"    {word},\n" for word in words) + f"){result}"
    return code_block(line, "python")


def _short(annotation: str) -> str:
    """Return an annotation of a blocking client, without the names of modules."""
    annotation = re.sub(r"^AsyncGenerator\[(.*), None\]$", r"Generator[\1, None, None]", annotation)
    return re.sub(r"\b(types|transfers)\.", "", annotation)


def _literal(value: Any) -> str:
    """Return a value as code, with double quotes as everywhere."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _docstring(value: Any) -> str:
    return inspect.getdoc(value) or ""
