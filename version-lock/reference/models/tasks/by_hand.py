"""What the models in NumPy have in common: initial values, softmax and Adam, in float32."""

from __future__ import annotations

import numpy as np


def glorot(inputs: int, outputs: int) -> np.ndarray:
    """Return initial values of shape (inputs, outputs) by Glorot and Bengio (2010), even form."""
    bound = np.sqrt(6 / (inputs + outputs))
    return np.random.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities along the last axis."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


class Adam:
    """Adam (Kingma and Ba 2015) with its usual settings, on arrays by name, in place."""

    def __init__(self, weights: dict[str, np.ndarray], rate: float) -> None:
        self.weights, self.rate, self.steps = weights, rate, 0
        self.first = {name: np.zeros_like(value) for name, value in weights.items()}
        self.second = {name: np.zeros_like(value) for name, value in weights.items()}

    def step(self, gradients: dict[str, np.ndarray]) -> None:
        """Change the arrays once, by gradients of the same names and shapes."""
        self.steps += 1
        rate = self.rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for name, gradient in gradients.items():
            first, second = self.first[name], self.second[name]
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.001) * (gradient**2 - second)
            self.weights[name] -= np.float32(rate) * first / (np.sqrt(second) + np.float32(1e-8))
