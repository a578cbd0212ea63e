"""What online learning is tested with: small networks, and one thread, so that every machine is quick.

torch is imported in the fixtures only: where it is missing, these tests are skipped, and this file is read even so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from haleganada_server.training.online.start import Start


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cnn() -> Start:
    """cnn36 with random weights."""
    from haleganada_server.training.online.start import start_preset

    return start_preset("cnn36", seed=7)


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
def transformer(backbone_file: Path) -> Start:
    """resnet50-transformer on a small backbone."""
    from haleganada_server.training.online.start import start_preset

    return start_preset("resnet50-transformer", seed=7, backbone_weights=backbone_file)
