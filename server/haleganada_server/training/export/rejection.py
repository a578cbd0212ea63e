"""Whether a drawing has none of a trained network's labels, by its distance from those that it was trained on.

What the last layer of a network sees of a drawing, its features, lies near the mean of its label where the network
knows such drawings. The distance is the relative Mahalanobis distance (Ren et al., "A Simple Fix to Mahalanobis
Distance for Improving Near-OOD Detection", 2021): how much worse the nearest label explains the features than drawings
of all labels together do, both as Gaussians. Only directions in which labels differ tell them apart, so the features
are first projected on these, where the covariance within a label is the identity.

The scale is calibrated on the validation part, which the network was not trained on: of the drawings there that it
recognizes rightly, 95 % stay known. Where that part has drawings of none of the labels, the probability of “unknown” is
fitted to both kinds instead (Platt scaling).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize
from torch import Tensor, nn

KNOWN_SHARE = 0.95
"""Share of the rightly recognized drawings of the validation part that stay known."""
_TYPICAL = 0.01
"""Probability of “unknown” for the median one of these drawings."""
LEAST = 30
"""Such drawings, and unknown ones, that a calibration needs; fewer say nothing about one in twenty."""
_SHRINKAGE = 0.01
"""How far the covariance is moved towards equal variances: some directions hardly vary in so few drawings."""
_MOST_DIRECTIONS = 128
"""Directions that are kept, those in which labels differ most: more would enlarge a small network's file."""

Features = NDArray[np.float32]  # (n, width)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a network made of drawings. logits: (n, classes). features: (n, width), see presets.measure_features.
    targets: (n,), ids of labels.
    """

    logits: NDArray[np.float32]
    features: Features
    targets: NDArray[np.int64]

    @property
    def right_features(self) -> Features:
        """The features of the drawings that the network recognizes rightly."""
        return np.asarray(self.features[self.logits.argmax(1) == self.targets])


class Rejection(nn.Module):
    """(n, width) features -> (n,) probability that a drawing has none of the labels."""

    mean: Tensor
    projection: Tensor
    centers: Tensor
    variances: Tensor

    def __init__(self, mean: Floats, projection: Floats, centers: Floats, variances: Floats) -> None:
        """mean: (width,) of all features. projection: (width, k) to the directions in which labels differ. centers:
        (labels, k), the means of labels there. variances: (k,), of all drawings there, 1 within a label.
        """
        super().__init__()
        for name, values in (("mean", mean), ("variances", variances)):
            self.register_buffer(name, torch.from_numpy(values.astype(np.float32)))
        for name, matrix in (("projection", projection), ("centers", centers)):
            self.register_buffer(name, torch.from_numpy(matrix).half().float())  # so that files hold it in two bytes
        self.slope, self.offset = 1.0, 0.0

    def measure_distance(self, features: Tensor) -> Tensor:
        """(n, width) -> (n,) distances: larger = less like the drawings of any label."""
        places = (features - self.mean) @ self.projection
        to_centers = (places[:, None] - self.centers).square().sum(2)  # multiplied out, it would cancel to noise
        return to_centers.amin(1) - (places.square() / self.variances).sum(1)

    def forward(self, features: Tensor) -> Tensor:
        return torch.sigmoid(self.slope * self.measure_distance(features) + self.offset)


def fit_rejection(train: Measured, validation: Measured, unknown: Features | None = None) -> Rejection | None:
    """Fit what tells unknown drawings from known ones; None if the validation part is too small to calibrate it.

    unknown: features of drawings of none of the labels that the network was not trained on, if there are any.
    """
    known = validation.right_features
    if len(known) < LEAST or len(np.unique(train.targets)) < 2:
        return None
    rejection = _fit_distance(train)
    near = _measure(rejection, known)
    if unknown is not None and len(unknown) >= LEAST:
        rejection.slope, rejection.offset = _fit_to_both(near, _measure(rejection, unknown))
    else:
        rejection.slope, rejection.offset = _fit_to_known(near)
    return rejection


def _fit_distance(train: Measured) -> Rejection:
    features = train.features.astype(np.float64)
    labels, rows, counts = np.unique(train.targets, return_inverse=True, return_counts=True)
    means = np.stack([features[rows == row].mean(0) for row in range(len(labels))])
    mean = features.mean(0)
    spread = features - means[rows]
    within = spread.T @ spread / len(features)
    even = max(float(np.trace(within)) / len(within), 1e-12)
    within = (1 - _SHRINKAGE) * within + _SHRINKAGE * even * np.eye(len(within))
    between = (means - mean).T @ ((means - mean) * (counts / len(features))[:, None])
    kept = min(len(mean), len(labels) - 1, _MOST_DIRECTIONS)
    ratios, directions = eigh(between, within, subset_by_index=[len(mean) - kept, len(mean) - 1])
    return Rejection(mean, directions, (means - mean) @ directions, 1 + np.maximum(ratios, 0.0))


@torch.no_grad()
def _measure(rejection: Rejection, features: Features) -> Floats:
    return np.asarray(rejection.measure_distance(torch.from_numpy(features)).numpy(), np.float64)


def _fit_to_known(distances: Floats) -> tuple[float, float]:
    """Return slope and offset from known drawings alone."""
    middle, limit = np.quantile(distances, (0.5, KNOWN_SHARE))
    slope = float(np.log(1 / _TYPICAL - 1) / max(limit - middle, 1e-6))
    return slope, -slope * float(limit)


def _fit_to_both(known: Floats, unknown: Floats) -> tuple[float, float]:
    """Return slope and offset from known and unknown drawings, as if they were equally many."""
    distances, is_unknown = np.concatenate([known, unknown]), np.repeat([0.0, 1.0], [len(known), len(unknown)])
    weights = np.repeat([0.5 / len(known), 0.5 / len(unknown)], [len(known), len(unknown)])
    middle, scale = float(distances.mean()), float(distances.std()) or 1.0

    def loss(coefficients: Floats) -> float:
        odds = coefficients[0] * (distances - middle) / scale + coefficients[1]
        misfit = np.logaddexp(0, odds) - is_unknown * odds
        return float((weights * misfit).sum() + 1e-3 * coefficients[0] ** 2)  # finite where the two are far apart

    slope, offset = minimize(loss, np.zeros(2)).x
    return float(slope / scale), float(offset - slope * middle / scale)
