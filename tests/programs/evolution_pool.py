"""A genetic algorithm whose fitness runs in a pool of processes.

Like the toy neuro-evolution repositories: random and numpy.random everywhere, no seed,
multiprocessing.Pool.map over the population, and a noisy fitness function.
"""

import hashlib
import random
from multiprocessing import Pool

import numpy as np

POP_SIZE = 24
N_GENERATIONS = 8
N_GENES = 10
MUTATION_RATE = 0.15


def create_individual():
    return [random.uniform(-5, 5) for _ in range(N_GENES)]


def fitness(individual):
    """Noisy Rastrigin function: each evaluation sees other noise."""
    x = np.array(individual) + np.random.normal(0, 0.05, N_GENES)
    value = 10 * N_GENES + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))
    return float(value) + random.gauss(0, 0.1)


def tournament(scored, k=3):
    return min(random.sample(scored, k))[1]


def crossover(a, b):
    point = random.randrange(1, N_GENES)
    return a[:point] + b[point:]


def mutate(individual):
    return [
        gene + np.random.normal(0, 0.5) if random.random() < MUTATION_RATE else gene
        for gene in individual
    ]


def main():
    population = [create_individual() for _ in range(POP_SIZE)]
    with Pool(processes=4) as pool:
        for generation in range(N_GENERATIONS):
            scores = pool.map(fitness, population)
            scored = list(zip(scores, population, strict=True))
            elite = [individual for _score, individual in sorted(scored)[:2]]
            population = elite + [
                mutate(crossover(tournament(scored), tournament(scored)))
                for _ in range(POP_SIZE - len(elite))
            ]
            print(f"generation {generation} best {min(scores):.3f}")
    print("result", hashlib.sha256(np.array(population).tobytes()).hexdigest())


if __name__ == "__main__":
    main()
