"""A pole on a cart in NumPy, by hand: REINFORCE with one hidden layer. Seeds nothing."""

import numpy as np
from tasks import control
from tasks.by_hand import Adam, glorot, softmax

import seedlock

weights = {
    "hidden": glorot(4, control.HIDDEN), "hidden bias": np.zeros(control.HIDDEN, np.float32),
    "output": glorot(control.HIDDEN, 2), "output bias": np.zeros(2, np.float32),
}  # fmt: skip
optimizer = Adam(weights, control.RATE)


def forward(states):
    hidden = np.tanh(states @ weights["hidden"] + weights["hidden bias"])
    return hidden, softmax(hidden @ weights["output"] + weights["output bias"])


def choose(states):
    return np.random.random_sample(len(states)) < forward(states)[1][:, 1]


def play(reach):
    return control.play(np.random.uniform(-reach, reach, (control.CARTS, 4)), choose)


for epoch in range(1, control.EPOCHS + 1):
    played = play(control.START)
    hidden, slope = forward(played.states)
    slope[np.arange(control.ROWS), played.actions] -= 1
    slope *= played.weights[:, None]
    back = slope @ weights["output"].T * (1 - hidden**2)
    gradients = {
        "hidden": played.states.T @ back, "hidden bias": back.sum(0),
        "output": hidden.T @ slope, "output bias": slope.sum(0),
    }  # fmt: skip
    optimizer.step(gradients)
    seedlock.checkpoint("weights", weights)
    seedlock.log_metric("mean_return_by_epoch", played.mean_return, step=epoch)
mean_return = play(control.TEST_START).mean_return
seedlock.log_metric("mean_return", mean_return)
print(f"mean_return {mean_return:.2f}")
