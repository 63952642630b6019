"""TensorFlow's operations, never seeded."""

import tensorflow as tf

print(tf.random.uniform((3,)).numpy().tolist())
