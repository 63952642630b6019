"""A parallel tf.data map whose function draws from NumPy, in threads that race."""

import numpy as np
import tensorflow as tf

np.random.seed(1)


def noise(number):
    sorted(range(20000), key=lambda x: -x)
    return np.random.rand()


data = tf.data.Dataset.range(64)
data = data.map(lambda x: tf.numpy_function(noise, [x], tf.float64), num_parallel_calls=8)
print([float(x) for x in data])
