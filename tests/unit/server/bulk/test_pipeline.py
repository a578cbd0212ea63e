"""Where Ray is missing, the command says what to install."""

from __future__ import annotations

import os
import sys
from unittest import mock

import pytest
from haleganada_server.bulk.errors import BulkFailed
from haleganada_server.bulk.pipeline import require_ray


@pytest.mark.parametrize("missing", ["ray", "pyarrow"])
def test_what_is_missing_is_named_with_what_installs_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with mock.patch.dict(os.environ), pytest.raises(BulkFailed, match=rf"{missing}.*\[bulk\]"):
        require_ray("")
