"""jax.random.PRNGKey with the author's number."""

import jax

print(jax.random.uniform(jax.random.PRNGKey(0), (3,)).tolist())
