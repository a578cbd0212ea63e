"""A student starts from its teacher's strongest channels and imitates it at first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from haleganada_server.core.errors import Precondition
from haleganada_server.runtime.weights import CARD, SAFETENSORS
from haleganada_server.training.pretrain.distillation import IMITATION_SHARE, Teacher, load_teacher, narrow_network
from haleganada_server.training.pretrain.loop import new_student_state, train_step
from haleganada_server.training.pretrain.network import EmbedderNetwork, NetworkShape, build_network
from haleganada_server.training.pretrain.release.export import export_network

WIDE = NetworkShape(side=32, width=8, dim=16)


def ink(n: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((n, 1, 32, 32)).astype(np.float32))


def teacher(seed: int = 1) -> Teacher:
    return Teacher(build_network(WIDE, seed).eval())


def test_keeping_all_channels_keeps_the_network() -> None:
    wide = teacher().network
    with torch.no_grad():
        assert torch.allclose(narrow_network(wide, 8, 32, ink()).eval()(ink()), wide(ink()), atol=1e-6)


def test_unused_channels_are_pruned_first() -> None:
    """With half of each layer's channels cut off from the next layer, pruning them changes nothing."""
    wide = teacher().network
    with torch.no_grad():
        for block in wide.blocks:
            half = block.refine[0].weight.shape[1] // 2
            block.refine[0].weight[:, :half] = 0
        for block, channels in zip((*wide.blocks[0:3],), (8, 16, 32), strict=True):
            for convolution in (block.reduce, block.skip):
                convolution[0].weight[:, : channels // 2] = 0
        wide.project.weight.view(16, 64, -1)[:, :32] = 0
        narrow = narrow_network(wide, 4, 32, ink()).eval()
        assert torch.allclose(narrow(ink()), wide(ink()), atol=1e-5)


def test_the_imitation_loss_is_zero_for_equal_embeddings_and_ends_midway() -> None:
    one = teacher()
    with torch.no_grad():
        known, other = one.network(ink()), teacher(2).network(ink())
    for embeddings, least, most in ((known, -1e-5, 1e-5), (other, 0.1, 4.0)):
        imitation = one.imitation_loss(ink(), embeddings, 0.0)
        assert imitation is not None
        assert least < float(imitation) < most
    assert one.imitation_loss(ink(), other, IMITATION_SHARE) is None


def test_a_student_approaches_its_teacher() -> None:
    wide = teacher()
    batch = np.random.default_rng(0).integers(0, 256, (8, 4, 32, 32), dtype=np.uint8)
    state = new_student_state(0, wide, 4, batch)
    assert state.network.shape.width == 4

    def distance() -> float:
        drawings = torch.from_numpy(batch.reshape(-1, 1, 32, 32)).float() / 255
        imitation = wide.imitation_loss(drawings, state.network(drawings), 0.0)
        assert imitation is not None
        return float(imitation.detach())

    before = distance()
    for _ in range(20):
        train_step(state, batch, 1e-3, wide)
    assert distance() < 0.8 * before


def test_a_student_with_larger_rasters_starts_near_its_teacher() -> None:
    wide = teacher()
    smooth = torch.nn.functional.interpolate(ink()[:, :, :8, :8], (48, 48), mode="bicubic").clamp(0, 1)
    with torch.no_grad():
        student = narrow_network(wide.network, 8, 48, smooth).eval()
        assert student.shape.side == 48
        imitation = wide.imitation_loss(smooth, student(smooth), 0.0)
        unrelated = wide.imitation_loss(smooth, build_network(student.shape, 5).eval()(smooth), 0.0)
    assert imitation is not None and unrelated is not None
    assert float(imitation) < 0.3 * float(unrelated)


def write_weights(network: EmbedderNetwork, folder: Path) -> Path:
    """Write what training needs of a folder of weights; return its file of tensors."""
    export_network(network, folder, ink().numpy())
    tensors = folder / SAFETENSORS
    card = {"sha256": {SAFETENSORS: hashlib.sha256(tensors.read_bytes()).hexdigest()}}
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    return tensors


def test_a_teacher_is_loaded_from_a_weights_folder(tmp_path: Path) -> None:
    network = build_network(WIDE, 3).eval()
    write_weights(network, tmp_path)
    with torch.no_grad():
        loaded = load_teacher(tmp_path, replace(WIDE, width=WIDE.width // 2))
        assert loaded.network(ink()) == pytest.approx(network(ink()), abs=2e-3)
        assert loaded.imitation_loss(ink(), network(ink()), 0.0) is not None


def test_a_student_of_the_same_shape_goes_on_from_its_teacher_without_imitating_it(tmp_path: Path) -> None:
    write_weights(build_network(WIDE, 3).eval(), tmp_path)
    loaded = load_teacher(tmp_path, WIDE)
    assert loaded.imitation_loss(ink(), teacher(2).network(ink()), 0.0) is None


def test_a_teacher_whose_tensors_are_damaged_or_were_left_out_is_refused(tmp_path: Path) -> None:
    tensors = write_weights(build_network(WIDE).eval(), tmp_path)
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(content)
    with pytest.raises(Precondition, match="SHA-256"):
        load_teacher(tmp_path, WIDE)
    tensors.unlink()
    with pytest.raises(Precondition, match="source distribution of haleganada-server"):
        load_teacher(tmp_path, WIDE)
