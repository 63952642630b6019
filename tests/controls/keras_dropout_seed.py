"""A Keras Dropout with the author's number."""

import keras
import numpy as np

dropped = keras.layers.Dropout(0.5, seed=1)(np.ones((1, 32), "float32"), training=True)
print(keras.ops.convert_to_numpy(dropped).tolist())
