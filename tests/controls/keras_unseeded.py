"""Keras's default generator, never seeded."""

import keras

print(keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist())
