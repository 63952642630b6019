"""Train a small classifier on points that the seed draws; log its accuracy (docs/watch.md)."""

import numpy

import seedlock

POINTS = 4000


def points(generator):
    """Return points of two classes that overlap, and their classes."""
    classes = generator.integers(0, 2, size=POINTS)
    centres = numpy.where(classes == 1, 0.9, -0.9)[:, None]
    return centres + generator.normal(size=(POINTS, 2)), classes


def main():
    generator = numpy.random.default_rng()
    known, classes = points(generator)
    weights = numpy.zeros(2)
    for epoch in range(1, 6):
        guessed = 1 / (1 + numpy.exp(-known @ weights))
        weights -= 0.5 * known.T @ (guessed - classes) / POINTS
        seedlock.log_metric("accuracy_by_epoch", ((guessed > 0.5) == classes).mean(), step=epoch)
    unseen, classes = points(generator)
    accuracy = ((unseen @ weights > 0) == classes).mean()
    seedlock.log_metric("accuracy", accuracy)
    print(f"accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
