"""Drawings seen anew in each epoch: turned, shifted, scaled, tilted, bent, with paler or bolder ink; never mirrored.

Letters have a direction, so there is no flip. All of a drawing's random numbers come from (seed, epoch, item) alone, so
that it looks the same whatever batch, process or sitting it is in. Everything is one warp of the coordinates and one
bilinear sampling, for a whole batch at once.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

ROTATION = math.radians(15)
SHIFT = 0.10
"""Of the side, at most."""
SCALE = 0.10
"""Less is made of both where ink would leave the picture otherwise: what a drawing loses may be what tells it apart."""
TILT = 0.10
"""Perspective: two opposite edges differ in length by up to 20 %."""
BEND = 0.11
"""How far a knot of the elastic grid moves at most, of the side; neighbors smooth it to a third of that."""
KNOTS = 6
"""Knots of the elastic grid, along one axis."""
CONTRAST = 0.30
BRIGHTNESS = 0.30
CELLS = 16
"""Along a side of the coarse picture by which it is seen where ink goes."""
ROOM = 1 - 1 / CELLS - 0.05
"""How far from the middle, in -1..1, the middle of a cell may go: half a cell and the elastic bend come on top."""
FAINT = 0.1
DRAWS = 8 + 2 * KNOTS * KNOTS
"""Random numbers of one drawing."""


def draw_random_numbers(items: int, seed: int, epoch: int) -> Tensor:
    """The random numbers of all items in one epoch, (items, DRAWS), each uniform in -1..1."""
    generator = torch.Generator().manual_seed(mix_seed(seed, epoch))
    return torch.rand(items, DRAWS, generator=generator).mul_(2).sub_(1)


def mix_seed(*numbers: int) -> int:
    """A seed of 32 bits, all that torch's generator takes, which differs where any of the numbers differs."""
    return int(np.random.SeedSequence([n % 2**64 for n in numbers]).generate_state(1)[0])


def augment(ink: Tensor, drawn: Tensor) -> Tensor:
    """Ink (n, 1, side, side) in 0..1 -> the same shape and range, each picture changed as its row of draws says.

    drawn: (n, DRAWS), rows of draw_random_numbers(). Zeros leave a picture as it is.
    """
    view = drawn[:, :8].unbind(1)
    sources = _seen_from(view[:6], ink).add_(_bent(drawn[:, 8:], ink.shape[-1]))
    grid = sources.permute(0, 2, 3, 1)  # x and y in planes of their own, which is how sampling is fast
    moved = functional.grid_sample(ink, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    contrast, brightness = (1 + CONTRAST * view[6]), (1 + BRIGHTNESS * (view[7].abs().neg()))
    moved.mul_(contrast[:, None, None, None]).clamp_(max=1)  # Paper is 0, and stays so.
    return moved.mul_(brightness[:, None, None, None])


def _seen_from(view: tuple[Tensor, ...], ink: Tensor) -> Tensor:
    """Where each pixel comes from: (n, 2, side, side), x and y in -1..1, by a homography of each drawing."""
    turn, right, down, scale, tilt_x, tilt_y = view
    size = 1 + SCALE * scale
    cosine, sine = torch.cos(ROTATION * turn) / size, torch.sin(ROTATION * turn) / size
    rows = (
        (cosine, -sine, -2 * SHIFT * right),
        (sine, cosine, -2 * SHIFT * down),
        (TILT * tilt_x, TILT * tilt_y, torch.ones_like(size)),
    )
    homography = _kept_inside(torch.stack([torch.stack(row, dim=1) for row in rows], dim=1), ink)
    return _mapped(homography, ink.shape[-1]).unflatten(2, ink.shape[-2:])


def _kept_inside(homography: Tensor, ink: Tensor) -> Tensor:
    """The same, (n, 3, 3), followed by what keeps the ink in the picture: a little smaller, then back from the edge."""
    coarse = functional.adaptive_max_pool2d(ink, CELLS).flatten(2) > FAINT
    coarse |= ~coarse.any(2, keepdim=True)  # a picture without ink is as good as a full one
    first, last = _extent(_pixels(CELLS, ink.device)[:2].expand(len(ink), 2, -1), coarse)
    first, last = first.clamp(max=-ROOM), last.clamp(min=ROOM)  # where it may go
    low, high = _extent(_mapped(torch.linalg.inv(homography), CELLS), coarse)
    size = ((last - first) / (high - low)).amin(1, keepdim=True).clamp(max=1)
    back = torch.zeros_like(low).clamp(first - size * low, last - size * high)
    kept = torch.eye(3, device=ink.device).repeat(len(ink), 1, 1)
    kept[:, 0, 0] = kept[:, 1, 1] = 1 / size[:, 0]
    kept[:, :2, 2] = -back / size
    return homography @ kept


def _extent(places: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and highest x and y, (n, 2) each, of places (n, 2, cells) where there is ink: (n, 1, cells)."""
    return places.masked_fill(~there, math.inf).amin(2), places.masked_fill(~there, -math.inf).amax(2)


def _mapped(homography: Tensor, side: int) -> Tensor:
    """Where (n, 3, 3) homographies take the centers of all pixels: (n, 2, side x side)."""
    points = homography @ _pixels(side, homography.device)
    return points[:, :2] / points[:, 2:]


def _bent(moves: Tensor, side: int) -> Tensor:
    """A smooth displacement of each pixel, (n, 2, side, side), from moves of the knots, (n, 2 x KNOTS x KNOTS)."""
    spline = _spline(side, moves.device)
    return (2 * BEND * spline) @ moves.reshape(-1, 2, KNOTS, KNOTS) @ spline.T


@functools.lru_cache(maxsize=4)
def _pixels(side: int, device: torch.device) -> Tensor:
    """The centers of all pixels as homogeneous columns, (3, side x side)."""
    centers = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(centers, centers, indexing="ij")
    return torch.stack((x.flatten(), y.flatten(), torch.ones(side * side, device=device)))


@functools.lru_cache(maxsize=4)
def _spline(side: int, device: torch.device) -> Tensor:
    """How much each knot moves each pixel, along one axis: (side, KNOTS), uniform cubic B-splines."""
    at = (torch.arange(side, device=device) + 0.5) * ((KNOTS - 3) / side)
    far = (at[:, None] + 1 - torch.arange(KNOTS, device=device)).abs()
    near = 2 / 3 - far.square() * (1 - far / 2)
    outer = (2 - far).clamp(min=0) ** 3 / 6
    return torch.where(far < 1, near, outer)
