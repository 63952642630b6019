"""The next character of a program's source: text for a character-level recurrent network.

After Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015), who took the
source of Linux. Here it is one file of MXNet's, whose last release was 1.9.1: of all packages of
the lock the one whose bytes no new release changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .packaged import packaged

SHA256 = "58a084e71c23217cbd293f9b0b4500b0ae52372ba8704f36073d22bd5c850ba5"
SYMBOLS = 96
"""Line break, then the 95 printable characters of ASCII."""

LENGTH = 32
"""Characters of a window that are read; each is followed by the one to be told."""

TRAINED = 1408
"""44 whole batches; the windows after them are left over."""

BATCH = 32
EPOCHS = 6
RATE = 1e-2
EMBEDDING = 16
HIDDEN = 48


@dataclass(frozen=True)
class Text:
    """Windows of shape (n, LENGTH + 1) of symbols 0 to SYMBOLS - 1, in int64."""

    windows: np.ndarray
    test_windows: np.ndarray


def load() -> Text:
    """Return the split, the same in each call: every ninth window is to test.

    The last symbol of a window is the first of the next, so no symbol is told twice.
    """
    characters = np.frombuffer(packaged("mxnet", "gluon/block.py", SHA256), dtype=np.uint8)
    symbols = np.where(characters == ord("\n"), 0, characters.astype(np.int64) - 31)
    count = (len(symbols) - 1) // LENGTH
    starts = LENGTH * np.arange(count)[:, None]
    windows = symbols[starts + np.arange(LENGTH + 1)]
    to_test = np.arange(count) % 9 == 8
    return Text(windows[~to_test][:TRAINED], windows[to_test])
