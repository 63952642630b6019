"""tf.compat.v1.set_random_seed with the author's number."""

import tensorflow as tf

tf.compat.v1.set_random_seed(1)
print(tf.random.uniform((3,)).numpy().tolist())
