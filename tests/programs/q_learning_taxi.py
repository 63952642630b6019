"""Tabular Q-learning on Taxi.

Like the Q-learning notebooks of reinforcement learning courses: NumPy table, epsilon-greedy with
the random module, env.reset() and action_space.sample() without a seed.
"""

import hashlib
import random

import gymnasium as gym
import numpy as np

n_episodes = 200
max_steps = 60
learning_rate = 0.7
gamma = 0.95
max_epsilon, min_epsilon, decay_rate = 1.0, 0.05, 0.005

env = gym.make("Taxi-v4")
Qtable = np.zeros((env.observation_space.n, env.action_space.n))


def epsilon_greedy_policy(state, epsilon):
    if random.uniform(0, 1) > epsilon:
        return int(np.argmax(Qtable[state]))
    return env.action_space.sample()


total = 0
for episode in range(n_episodes):
    epsilon = min_epsilon + (max_epsilon - min_epsilon) * np.exp(-decay_rate * episode)
    state, _info = env.reset()
    for _step in range(max_steps):
        action = epsilon_greedy_policy(state, epsilon)
        new_state, reward, terminated, truncated, _info = env.step(action)
        target = reward + gamma * np.max(Qtable[new_state])
        Qtable[state][action] += learning_rate * (target - Qtable[state][action])
        total += reward
        if terminated or truncated:
            break
        state = new_state

print(f"mean reward {total / n_episodes:.3f}")
print("result", hashlib.sha256(Qtable.tobytes()).hexdigest())
