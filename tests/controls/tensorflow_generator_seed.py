"""A tf.random.Generator with the author's number."""

import tensorflow as tf

generator = tf.random.Generator.from_seed(1)
print(generator.uniform((3,)).numpy().tolist())
