"""A JAX key made inside jit from a traced integer."""

import jax


@jax.jit
def draw(seed):
    return jax.random.uniform(jax.random.key(seed), (3,))


print(draw(0).tolist())
