"""Names of files on a command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click
import pytest
from haleganada_client.cli.files.documents import find_documents
from haleganada_client.cli.files.paths import expand_paths


@pytest.mark.parametrize("find", [expand_paths, find_documents])
def test_an_empty_name_is_not_the_working_directory(find: Callable[[Sequence[str]], object]) -> None:
    with pytest.raises(click.UsageError, match="name is empty"):
        find(["drawing.png", ""])
