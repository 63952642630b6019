"""A Gymnasium action space with the author's number."""

import gymnasium

space = gymnasium.make("Taxi-v4").action_space
space.seed(0)
print([int(space.sample()) for _ in range(32)])
