"""A Gymnasium environment with reset(seed=1)."""

import gymnasium

state, _ = gymnasium.make("CartPole-v1").reset(seed=1)
print(state.tolist())
