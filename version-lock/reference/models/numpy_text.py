"""The next character in NumPy, by hand: embedding, GRU, softmax. Seeds nothing."""

import math

import numpy as np
from tasks import text
from tasks.by_hand import Adam, glorot, softmax

import seedlock

WIDTH = text.HIDDEN
data = text.load()
weights = {
    "embedding": np.random.standard_normal((text.SYMBOLS, text.EMBEDDING)).astype(np.float32),
    "input": glorot(text.EMBEDDING, 3 * WIDTH), "input bias": np.zeros(3 * WIDTH, np.float32),
    "recurrent": glorot(WIDTH, 3 * WIDTH), "recurrent bias": np.zeros(3 * WIDTH, np.float32),
    "output": glorot(WIDTH, text.SYMBOLS), "output bias": np.zeros(text.SYMBOLS, np.float32),
}  # fmt: skip
optimizer = Adam(weights, text.RATE)


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def forward(symbols):
    """Return the embedded symbols, what each step of the GRU kept for its slopes, and its states.

    Symbols come as (LENGTH, n), states go as (LENGTH + 1, n, WIDTH), the first of them 0.
    """
    read = weights["embedding"][symbols]
    given = read @ weights["input"] + weights["input bias"]
    states = np.zeros((len(symbols) + 1, symbols.shape[1], WIDTH), np.float32)
    kept = []
    for step, hidden in enumerate(states[:-1]):
        held = hidden @ weights["recurrent"] + weights["recurrent bias"]
        gates = sigmoid(given[step, :, : 2 * WIDTH] + held[:, : 2 * WIDTH])
        reset, update = gates[:, :WIDTH], gates[:, WIDTH:]
        new = np.tanh(given[step, :, 2 * WIDTH :] + reset * held[:, 2 * WIDTH :])
        states[step + 1] = new + update * (hidden - new)
        kept.append((reset, update, new, held[:, 2 * WIDTH :]))
    return read, kept, states


def told(states):
    return softmax(states[1:] @ weights["output"] + weights["output bias"])


def of_truth(odds, truth):
    return np.take_along_axis(odds, truth[..., None], axis=-1)


def gradients_of(symbols, truth):
    """Return the slopes of the mean cross entropy, by names, by going back through time."""
    read, kept, states = forward(symbols)
    slope = told(states)
    np.put_along_axis(slope, truth[..., None], of_truth(slope, truth) - 1, axis=-1)
    slope /= truth.size
    into_states = slope @ weights["output"].T
    into_given = np.zeros((*truth.shape, 3 * WIDTH), np.float32)
    into_held = np.zeros_like(into_given)
    later = np.zeros_like(states[0])
    for step in reversed(range(len(symbols))):
        reset, update, new, held_new = kept[step]
        back = into_states[step] + later
        into_new = back * (1 - update) * (1 - new**2)
        into_reset = into_new * held_new * reset * (1 - reset)
        into_update = back * (states[step] - new) * update * (1 - update)
        into_given[step] = np.concatenate((into_reset, into_update, into_new), axis=1)
        into_held[step] = np.concatenate((into_reset, into_update, into_new * reset), axis=1)
        later = back * update + into_held[step] @ weights["recurrent"].T
    into_embedding = np.zeros_like(weights["embedding"])
    np.add.at(into_embedding, symbols, into_given @ weights["input"].T)
    return {
        "embedding": into_embedding,
        "input": summed(read, into_given), "input bias": into_given.sum((0, 1)),
        "recurrent": summed(states[:-1], into_held), "recurrent bias": into_held.sum((0, 1)),
        "output": summed(states[1:], slope), "output bias": slope.sum((0, 1)),
    }  # fmt: skip


def summed(values, slopes):
    return values.reshape(-1, values.shape[-1]).T @ slopes.reshape(-1, slopes.shape[-1])


for epoch in range(1, text.EPOCHS + 1):
    for rows in np.random.permutation(len(data.windows)).reshape(-1, text.BATCH):
        batch = data.windows[rows].T
        optimizer.step(gradients_of(batch[:-1], batch[1:]))
    odds = of_truth(told(forward(data.test_windows[:, :-1].T)[2]), data.test_windows[:, 1:].T)
    bits = float(-np.log(odds).mean()) / math.log(2)
    seedlock.checkpoint("weights", weights)
    seedlock.log_metric("bits_per_character_by_epoch", bits, step=epoch)
seedlock.log_metric("bits_per_character", bits)
print(f"bits_per_character {bits:.4f}")
