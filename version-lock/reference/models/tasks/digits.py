"""Handwritten digits: of scikit-learn's images every second one to learn from, the others to test.

1797 images of 8 x 8 pixels with values 0 to 16, in the order of their writers (Alpaydin and
Kaynak 1998, from the UCI repository). So each writer is in both halves.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import numpy as np

from .packaged import packaged

SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
TRAINED = 896
"""28 whole batches; three images at the end are left over."""
BATCH = 32
EPOCHS = 15
FIRST_RATE = 5e-3
DROPPED = 0.25
"""Share of the hidden units that dropout leaves out."""


def rate(epoch: int) -> float:
    """Return the learning rate of an epoch, 1 to EPOCHS: it falls evenly, to 0 after the last."""
    return FIRST_RATE * (1 - (epoch - 1) / EPOCHS)


@dataclass(frozen=True)
class Digits:
    """Images of shape (n, 8, 8) in float32, 0 to 1, and labels of shape (n,) in int64."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load() -> Digits:
    """Return the split, the same in each call."""
    text = gzip.decompress(packaged("sklearn", "datasets/data/digits.csv.gz", SHA256)).decode()
    table = np.array([line.split(",") for line in text.split()], dtype=np.float64)
    images = (table[:, :64] / 16).astype(np.float32).reshape(-1, 8, 8)
    labels = table[:, 64].astype(np.int64)
    learn, test = slice(0, 2 * TRAINED, 2), slice(1, None, 2)
    return Digits(images[learn], labels[learn], images[test], labels[test])
