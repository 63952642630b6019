"""A tf.random.Generator with a start from the system."""

import tensorflow as tf

generator = tf.random.Generator.from_non_deterministic_state()
print(generator.uniform((3,)).numpy().tolist())
