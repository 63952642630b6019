"""A Keras SeedGenerator with the author's number."""

import keras

generator = keras.random.SeedGenerator(1)
print(keras.ops.convert_to_numpy(keras.random.normal((3,), seed=generator)).tolist())
