"""Small networks for tests of online learning.

torch is imported in the fixtures only: this file is loaded even where torch is missing and the tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from haleganada_server.training.online.initial_model import InitialModel


@pytest.fixture(autouse=True)
def _close_feature_caches() -> Iterator[None]:
    yield
    from tests.unit.server.training.online.toy_script import close_features

    close_features()


@pytest.fixture(scope="session")
def cnn() -> InitialModel:
    """cnn36 with random weights."""
    from haleganada_server.training.online.initial_model import build_initial_model

    return build_initial_model("cnn36", seed=7)


@pytest.fixture(scope="session")
def backbone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone with random weights, as a file of backbone weights."""
    import torch
    from safetensors.torch import save_file
    from torchvision.models import resnet18

    path = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    torch.manual_seed(5)
    save_file(dict(resnet18(weights=None).state_dict()), path)
    return path


@pytest.fixture(scope="session")
def transformer(backbone_file: Path) -> InitialModel:
    """resnet50-transformer on a small backbone."""
    from haleganada_server.training.online.initial_model import build_initial_model

    return build_initial_model("resnet50-transformer", seed=7, backbone_weights=[backbone_file])
