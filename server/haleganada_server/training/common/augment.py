"""Augment drawings, differently in each epoch: rotate, shift, scale, tilt and bend them, make ink fainter or bolder.

Letters have a direction, so drawings are never mirrored. A drawing's random numbers depend on (seed, epoch, item)
alone, so it looks the same in any batch, process or resumed run. One coordinate warp and one bilinear sampling
transform a whole batch.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from haleganada_server.core.limits import (
    DEFAULT_BEND,
    DEFAULT_INK,
    DEFAULT_ROTATION_DEGREES,
    DEFAULT_SCALE,
    DEFAULT_SHIFT,
    DEFAULT_TILT,
)

KNOTS = 6
"""Knots of the elastic grid along one axis."""
CELLS = 16
"""Cells along one side of the coarse raster that locates the ink."""
ROOM = 1 - 1 / CELLS - 0.05
"""How far from the center, in -1..1, an inked cell may move: half a cell and the elastic bend come on top."""
INK_THRESHOLD = 0.1
NUMBERS_PER_DRAWING = 8 + 2 * KNOTS * KNOTS
"""Random numbers that one drawing takes."""


@dataclass(frozen=True, slots=True)
class Strengths:
    """How strongly to augment at most. rotation_degrees. shift: as a share of the side. scale: by how much a drawing is
    enlarged or made smaller; both are reduced where ink would leave the raster, because what is cut off may be what
    tells two letters apart. tilt: perspective: opposite edges differ in length by up to twice as much. bend: of a knot
    of the elastic grid, as a share of the side; its neighbors smooth it to a third. ink: fainter or bolder.
    """

    rotation_degrees: float = DEFAULT_ROTATION_DEGREES
    shift: float = DEFAULT_SHIFT
    scale: float = DEFAULT_SCALE
    tilt: float = DEFAULT_TILT
    bend: float = DEFAULT_BEND
    ink: float = DEFAULT_INK


USUAL = Strengths()


def draw_random_numbers(items: int, seed: int, epoch: int) -> Tensor:
    """Return the random numbers of all items in one epoch, (items, NUMBERS_PER_DRAWING), uniform in -1..1."""
    generator = torch.Generator().manual_seed(mix_seed(seed, epoch))
    return torch.rand(items, NUMBERS_PER_DRAWING, generator=generator).mul_(2).sub_(1)


def mix_seed(*numbers: int) -> int:
    """Hash numbers into a seed of 32 bits, which is all that torch's generator takes."""
    return int(np.random.SeedSequence([n % 2**64 for n in numbers]).generate_state(1)[0])


def augment(ink: Tensor, numbers: Tensor, strengths: Strengths = USUAL) -> Tensor:
    """Augment ink (n, 1, side, side) in 0..1; shape and range stay.

    numbers: (n, NUMBERS_PER_DRAWING), rows of draw_random_numbers(). Zeros leave a drawing unchanged.
    """
    view = numbers[:, :8].unbind(1)
    moves = _elastic_displacement(numbers[:, 8:], ink.shape[-1], strengths.bend)
    sources = _warp_coordinates(view[:6], ink, strengths).add_(moves)
    grid = sources.permute(0, 2, 3, 1)  # sampling is fast with x and y in separate planes
    moved = functional.grid_sample(ink, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    contrast, brightness = (1 + strengths.ink * view[6]), (1 + strengths.ink * (view[7].abs().neg()))
    moved.mul_(contrast[:, None, None, None]).clamp_(max=1)  # paper stays 0
    return moved.mul_(brightness[:, None, None, None])


def _warp_coordinates(view: tuple[Tensor, ...], ink: Tensor, strengths: Strengths) -> Tensor:
    """Return the source of each pixel under one homography a drawing: (n, 2, side, side), x and y in -1..1."""
    turn, right, down, scale, tilt_x, tilt_y = view
    size, angle = 1 + strengths.scale * scale, math.radians(strengths.rotation_degrees) * turn
    cosine, sine = torch.cos(angle) / size, torch.sin(angle) / size
    rows = (
        (cosine, -sine, -2 * strengths.shift * right),
        (sine, cosine, -2 * strengths.shift * down),
        (strengths.tilt * tilt_x, strengths.tilt * tilt_y, torch.ones_like(size)),
    )
    homography = _keep_ink_inside(torch.stack([torch.stack(row, dim=1) for row in rows], dim=1), ink)
    return _map_pixels(homography, ink.shape[-1]).unflatten(2, ink.shape[-2:])


def _keep_ink_inside(homography: Tensor, ink: Tensor) -> Tensor:
    """Adjust homographies (n, 3, 3) so that ink stays in the raster: shrink it a little, then move it off the edge."""
    coarse = functional.adaptive_max_pool2d(ink, CELLS).flatten(2) > INK_THRESHOLD
    coarse |= ~coarse.any(2, keepdim=True)  # treat a blank raster as a full one
    first, last = _ink_extent(_pixel_centers(CELLS, ink.device)[:2].expand(len(ink), 2, -1), coarse)
    first, last = first.clamp(max=-ROOM), last.clamp(min=ROOM)  # where ink may go
    low, high = _ink_extent(_map_pixels(torch.linalg.inv(homography), CELLS), coarse)
    size = ((last - first) / (high - low)).amin(1, keepdim=True).clamp(max=1)
    back = torch.zeros_like(low).clamp(first - size * low, last - size * high)
    kept = torch.eye(3, device=ink.device).repeat(len(ink), 1, 1)
    kept[:, 0, 0] = kept[:, 1, 1] = 1 / size[:, 0]
    kept[:, :2, 2] = -back / size
    return homography @ kept


def _ink_extent(places: Tensor, has_ink: Tensor) -> tuple[Tensor, Tensor]:
    """Return the lowest and highest x and y, (n, 2) each, of places (n, 2, cells) that hold ink, (n, 1, cells)."""
    return places.masked_fill(~has_ink, math.inf).amin(2), places.masked_fill(~has_ink, -math.inf).amax(2)


def _map_pixels(homography: Tensor, side: int) -> Tensor:
    """Map the centers of all pixels by homographies (n, 3, 3): (n, 2, side x side)."""
    points = homography @ _pixel_centers(side, homography.device)
    return points[:, :2] / points[:, 2:]


def _elastic_displacement(moves: Tensor, side: int, bend: float) -> Tensor:
    """Interpolate moves of the knots, (n, 2 x KNOTS x KNOTS), to a displacement of each pixel, (n, 2, side, side)."""
    spline = _spline_weights(side, moves.device)
    return (2 * bend * spline) @ moves.reshape(-1, 2, KNOTS, KNOTS) @ spline.T


@functools.lru_cache(maxsize=4)
def _pixel_centers(side: int, device: torch.device) -> Tensor:
    """Return the centers of all pixels as homogeneous columns, (3, side x side)."""
    centers = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(centers, centers, indexing="ij")
    return torch.stack((x.flatten(), y.flatten(), torch.ones(side * side, device=device)))


@functools.lru_cache(maxsize=4)
def _spline_weights(side: int, device: torch.device) -> Tensor:
    """Return the weight of each knot for each pixel along one axis, (side, KNOTS): uniform cubic B-splines."""
    at = (torch.arange(side, device=device) + 0.5) * ((KNOTS - 3) / side)
    far = (at[:, None] + 1 - torch.arange(KNOTS, device=device)).abs()
    near = 2 / 3 - far.square() * (1 - far / 2)
    outer = (2 - far).clamp(min=0) ** 3 / 6
    return torch.where(far < 1, near, outer)
