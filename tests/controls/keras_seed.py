"""keras.utils.set_random_seed with the author's number."""

import keras

keras.utils.set_random_seed(1)
print(keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist())
