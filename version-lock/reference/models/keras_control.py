"""A pole on a cart in Keras on TensorFlow: REINFORCE with one hidden layer. Seeds nothing."""

import keras
import tensorflow as tf
from keras import layers
from tasks import control

import seedlock

policy = keras.Sequential(
    [keras.Input((4,)), layers.Dense(control.HIDDEN, activation="tanh"), layers.Dense(2)]
)
optimizer = keras.optimizers.Adam(control.RATE, epsilon=1e-8)
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")


@tf.function
def choose(states):
    right = tf.nn.softmax(policy(states))[:, 1]
    return tf.random.uniform((control.CARTS,)) < right


@tf.function
def update(states, actions, weights):
    with tf.GradientTape() as tape:
        loss = cross_entropy(actions, policy(states), sample_weight=weights)
    gradients = tape.gradient(loss, policy.trainable_variables)
    optimizer.apply(gradients, policy.trainable_variables)
    return loss


def play(reach):
    starts = tf.random.uniform((control.CARTS, 4), -reach, reach)
    return control.play(starts.numpy(), lambda states: choose(tf.constant(states)).numpy())


for epoch in range(1, control.EPOCHS + 1):
    played = play(control.START)
    update(*map(tf.constant, (played.states, played.actions, played.weights)))
    seedlock.log_metric("mean_return_by_epoch", played.mean_return, step=epoch)
mean_return = play(control.TEST_START).mean_return
seedlock.log_metric("mean_return", mean_return)
print(f"mean_return {mean_return:.2f}")
