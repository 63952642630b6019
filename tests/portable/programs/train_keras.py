"""Dense layers, a convolution, batch norm, attention, dropout and Adam in Keras on TensorFlow."""

import sys

import keras
import tensorflow as tf

keras.config.set_floatx(sys.argv[1] if len(sys.argv) > 1 else "float32")
images = tf.random.normal((24, 8, 8, 3), dtype=keras.config.floatx())
labels = tf.random.uniform((24,), maxval=10, dtype="int64")
inputs = keras.Input((8, 8, 3))
hidden = keras.layers.Conv2D(16, 3, padding="same")(inputs)
hidden = keras.layers.Activation("tanh")(keras.layers.BatchNormalization()(hidden))
hidden = keras.layers.Reshape((16, 64))(hidden)
hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(64, activation="gelu")(hidden))
hidden = keras.layers.MultiHeadAttention(4, 16)(hidden, hidden)
hidden = keras.layers.GlobalAveragePooling1D()(hidden)
model = keras.Model(inputs, keras.layers.Dense(10)(hidden))
model.compile(
    keras.optimizers.Adam(1e-2),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    run_eagerly="eager" in sys.argv,
)
history = model.fit(images, labels, batch_size=8, epochs=1, verbose=0)
print(history.history["loss"][-1])
