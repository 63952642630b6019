"""jax.random.key with the author's number."""

import jax

print(jax.random.uniform(jax.random.key(0), (3,)).tolist())
