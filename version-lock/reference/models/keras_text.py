"""The next character in Keras on TensorFlow: embedding, GRU, softmax. Seeds nothing."""

import math

import keras
from keras import layers
from tasks import text

import seedlock

data = text.load()
model = keras.Sequential(
    [
        layers.Embedding(text.SYMBOLS, text.EMBEDDING, keras.initializers.RandomNormal(stddev=1.0)),
        layers.GRU(text.HIDDEN, return_sequences=True, recurrent_initializer="glorot_uniform"),
        layers.Dense(text.SYMBOLS),
    ]
)
model.compile(
    keras.optimizers.Adam(text.RATE, epsilon=1e-8),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    jit_compile=False,
)


class Curve(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        windows = data.test_windows
        loss = self.model.evaluate(
            windows[:, :-1], windows[:, 1:], batch_size=len(windows), verbose=0
        )
        self.bits = loss / math.log(2)
        seedlock.log_metric("bits_per_character_by_epoch", self.bits, step=epoch + 1)


curve = Curve()
model.fit(
    data.windows[:, :-1], data.windows[:, 1:], batch_size=text.BATCH, epochs=text.EPOCHS,
    verbose=0, callbacks=[curve],
)  # fmt: skip
seedlock.log_metric("bits_per_character", curve.bits)
print(f"bits_per_character {curve.bits:.4f}")
