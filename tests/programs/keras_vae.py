"""A variational autoencoder in Keras.

Like the code examples of the Keras site: a sampling layer with a SeedGenerator of its own, a
Dropout with a seed, a subclassed Model with fit(), and keras.utils.set_random_seed on top.
"""

import hashlib

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(812)
latent_dim = 2


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z; the KL divergence goes into the loss."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        kl = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        self.add_loss(0.01 * ops.mean(ops.sum(kl, axis=1)))
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def make_digits(n):
    """Blurred bars in an 8x8 picture."""
    images = np.zeros((n, 64), dtype="float32")
    for image in images.reshape(n, 8, 8):
        image[np.random.randint(8), :] = 1.0
        image[:, np.random.randint(8)] += 0.5
    return np.clip(images + 0.1 * np.random.randn(n, 64), 0, 1).astype("float32")


inputs = keras.Input((64,))
x = layers.Dense(32, activation="relu")(inputs)
x = layers.Dropout(0.1, seed=1)(x)
z = Sampling()([layers.Dense(latent_dim)(x), layers.Dense(latent_dim)(x)])
x = layers.Dense(32, activation="relu")(z)
outputs = layers.Dense(64, activation="sigmoid")(x)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer="adam", loss="binary_crossentropy")

x_train = make_digits(512)
history = vae.fit(x_train, x_train, epochs=3, batch_size=64, verbose=0)

print(f"loss {history.history['loss'][-1]:.4f}")
digest = hashlib.sha256()
for w in vae.trainable_variables:
    digest.update(ops.convert_to_numpy(w).tobytes())
print("result", digest.hexdigest())
