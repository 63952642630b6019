"""The next character in JAX with optax: embedding, GRU, softmax. Seeds nothing."""

import math

import jax
import jax.numpy as jnp
import optax
from tasks import text

import seedlock

glorot = jax.nn.initializers.glorot_uniform()
data = text.load()
windows, test_windows = jnp.asarray(data.windows), jnp.asarray(data.test_windows)
STEPS = len(windows) // text.BATCH


def start(key):
    first, second, third, fourth = jax.random.split(key, 4)
    return {
        "embedding": jax.random.normal(first, (text.SYMBOLS, text.EMBEDDING)),
        "input": glorot(second, (text.EMBEDDING, 3 * text.HIDDEN)),
        "input bias": jnp.zeros(3 * text.HIDDEN),
        "recurrent": glorot(third, (text.HIDDEN, 3 * text.HIDDEN)),
        "recurrent bias": jnp.zeros(3 * text.HIDDEN),
        "output": glorot(fourth, (text.HIDDEN, text.SYMBOLS)),
        "output bias": jnp.zeros(text.SYMBOLS),
    }


def objective(weights, windows):
    def step(hidden, given):
        held = hidden @ weights["recurrent"] + weights["recurrent bias"]
        given_reset, given_update, given_new = jnp.split(given, 3, axis=1)
        held_reset, held_update, held_new = jnp.split(held, 3, axis=1)
        update = jax.nn.sigmoid(given_update + held_update)
        new = jnp.tanh(given_new + jax.nn.sigmoid(given_reset + held_reset) * held_new)
        hidden = update * hidden + (1 - update) * new
        return hidden, hidden

    read = weights["embedding"][windows[:, :-1].T]
    given = read @ weights["input"] + weights["input bias"]
    _, hidden = jax.lax.scan(step, jnp.zeros((len(windows), text.HIDDEN)), given)
    logits = hidden @ weights["output"] + weights["output bias"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, windows[:, 1:].T).mean()


optimizer = optax.adam(text.RATE)


@jax.jit
def train(weights, state, rows):
    loss, slopes = jax.value_and_grad(objective)(weights, windows[rows])
    changes, state = optimizer.update(slopes, state)
    return optax.apply_updates(weights, changes), state, loss


@jax.jit
def test(weights):
    return objective(weights, test_windows)


start_key, loop_key = jax.random.split(jax.random.key(0))
weights = start(start_key)
state = optimizer.init(weights)
for epoch in range(1, text.EPOCHS + 1):
    order = jax.random.permutation(jax.random.fold_in(loop_key, epoch), len(windows))
    for rows in order.reshape(STEPS, text.BATCH):
        weights, state, loss = train(weights, state, rows)
    bits = float(test(weights)) / math.log(2)
    seedlock.log_metric("bits_per_character_by_epoch", bits, step=epoch)
seedlock.log_metric("bits_per_character", bits)
print(f"bits_per_character {bits:.4f}")
