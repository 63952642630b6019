"""A pole on a cart in JAX with optax: REINFORCE with one hidden layer. Seeds nothing."""

import jax
import jax.numpy as jnp
import optax
from tasks import control

import seedlock

glorot = jax.nn.initializers.glorot_uniform()


def forward(weights, states):
    hidden = jnp.tanh(states @ weights["hidden"] + weights["hidden bias"])
    return hidden @ weights["output"] + weights["output bias"]


@jax.jit
def choose(weights, states, key, step):
    right = jax.nn.softmax(forward(weights, states))[:, 1]
    return jax.random.bernoulli(jax.random.fold_in(key, step), right)


optimizer = optax.adam(control.RATE)


@jax.jit
def update(weights, state, states, actions, advantages):
    def objective(weights):
        losses = optax.softmax_cross_entropy_with_integer_labels(forward(weights, states), actions)
        return (losses * advantages).sum()

    loss, slopes = jax.value_and_grad(objective)(weights)
    changes, state = optimizer.update(slopes, state)
    return optax.apply_updates(weights, changes), state, loss


def play(weights, key, reach):
    start_key, action_key = jax.random.split(key)
    starts = jax.random.uniform(start_key, (control.CARTS, 4), minval=-reach, maxval=reach)
    steps = iter(range(control.CAP))
    return control.play(
        jax.device_get(starts),
        lambda states: jax.device_get(choose(weights, states, action_key, next(steps))),
    )


hidden_key, output_key, loop_key = jax.random.split(jax.random.key(0), 3)
weights = {
    "hidden": glorot(hidden_key, (4, control.HIDDEN)), "hidden bias": jnp.zeros(control.HIDDEN),
    "output": glorot(output_key, (control.HIDDEN, 2)), "output bias": jnp.zeros(2),
}  # fmt: skip
state = optimizer.init(weights)
for epoch in range(1, control.EPOCHS + 1):
    played = play(weights, jax.random.fold_in(loop_key, epoch), control.START)
    weights, state, loss = update(weights, state, played.states, played.actions, played.weights)
    seedlock.log_metric("mean_return_by_epoch", played.mean_return, step=epoch)
mean_return = play(weights, jax.random.fold_in(loop_key, 0), control.TEST_START).mean_return
seedlock.log_metric("mean_return", mean_return)
print(f"mean_return {mean_return:.2f}")
