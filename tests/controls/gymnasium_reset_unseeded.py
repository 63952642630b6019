"""A Gymnasium environment with reset() and no seed."""

import gymnasium

state, _ = gymnasium.make("CartPole-v1").reset()
print(state.tolist())
