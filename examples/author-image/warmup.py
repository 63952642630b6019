"""A package of the author's own: a learning rate that rises over the first steps."""


def rate(step: int, top: float = 0.1, steps: int = 50) -> float:
    """Return the learning rate of a step."""
    return top * min(1.0, (step + 1) / steps)
