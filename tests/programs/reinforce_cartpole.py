"""Policy gradient (REINFORCE) on CartPole.

Like the reinforcement learning example that ships with deep-learning tutorials: an argparse --seed
with a fixed default, passed to env.reset(seed=...) and torch.manual_seed.
"""

import argparse
import hashlib

import gymnasium as gym
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions import Categorical

parser = argparse.ArgumentParser(description="REINFORCE on CartPole")
parser.add_argument("--gamma", type=float, default=0.99)
parser.add_argument("--seed", type=int, default=543)
parser.add_argument("--episodes", type=int, default=12)
args = parser.parse_args()

env = gym.make("CartPole-v1")
env.reset(seed=args.seed)
torch.manual_seed(args.seed)

policy = nn.Sequential(
    nn.Linear(4, 32), nn.Dropout(p=0.2), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(dim=1)
)
optimizer = optim.Adam(policy.parameters(), lr=1e-2)
eps = 1e-8


def run_episode():
    log_probs, rewards = [], []
    state, _ = env.reset()
    for _t in range(200):
        probs = policy(torch.from_numpy(state).float().unsqueeze(0))
        m = Categorical(probs)
        action = m.sample()
        log_probs.append(m.log_prob(action))
        state, reward, done, truncated, _ = env.step(action.item())
        rewards.append(reward)
        if done or truncated:
            break
    return log_probs, rewards


running_reward = 10
for _episode in range(1, args.episodes + 1):
    log_probs, rewards = run_episode()
    R, returns = 0, []
    for r in rewards[::-1]:
        R = r + args.gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    loss = torch.cat([-lp * R for lp, R in zip(log_probs, returns, strict=True)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    running_reward = 0.05 * sum(rewards) + 0.95 * running_reward

print(f"average reward {running_reward:.2f}")
digest = hashlib.sha256()
for p in policy.parameters():
    digest.update(p.detach().numpy().tobytes())
print("result", digest.hexdigest())
