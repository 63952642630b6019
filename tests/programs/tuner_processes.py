"""Random search over hyper-parameters with parallel trials.

Like home-made tuners: each trial samples its configuration in its own process, with a
random.Random() and a default_rng(), trains a ridge regression, and reports back.
"""

import hashlib
import json
import random
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np

N_TRIALS = 10


def sample_config():
    sampler = random.Random()
    return {
        "alpha": 10 ** sampler.uniform(-4, 1),
        "degree": sampler.choice([1, 2, 3]),
        "scale": sampler.choice(["none", "standard"]),
        "lr": sampler.uniform(0.01, 0.1),
    }


def load_data():
    rng = np.random.default_rng(2024)
    x = rng.uniform(-2, 2, size=(200, 3))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] ** 2 - x[:, 2] + 0.1 * rng.standard_normal(200)
    return x, y


def run_trial(number):
    config = sample_config()
    rng = np.random.default_rng()
    x, y = load_data()
    x = np.concatenate([x**d for d in range(1, config["degree"] + 1)], axis=1)
    if config["scale"] == "standard":
        x = (x - x.mean(0)) / x.std(0)
    folds = rng.permutation(len(x))
    train, valid = folds[:150], folds[150:]
    weights = 0.01 * rng.standard_normal(x.shape[1])
    for _step in range(60):
        rows = rng.choice(train, size=32)
        gradient = x[rows].T @ (x[rows] @ weights - y[rows]) / 32 + config["alpha"] * weights
        weights -= config["lr"] * np.clip(gradient, -1, 1)
    score = float(np.mean((x[valid] @ weights - y[valid]) ** 2))
    return {"trial": number, "config": config, "score": score}


def main():
    results = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(run_trial, number) for number in range(N_TRIALS)]
        for future in as_completed(futures):
            results.append(future.result())
    results.sort(key=lambda r: r["trial"])
    best = min(results, key=lambda r: r["score"])
    print(f"best trial {best['trial']} score {best['score']:.4f}")
    print("result", hashlib.sha256(json.dumps(results, sort_keys=True).encode()).hexdigest())


if __name__ == "__main__":
    main()
