"""Digits in Keras on TensorFlow: a small convolutional network after LeNet-5. Seeds nothing."""

import keras
from keras import layers
from tasks import digits

import seedlock

data = digits.load()
images, test_images = data.images[..., None], data.test_images[..., None]
model = keras.Sequential(
    [
        layers.Conv2D(16, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(64, activation="relu"),
        layers.Dropout(digits.DROPPED), layers.Dense(10),
    ]
)  # fmt: skip
model.compile(
    keras.optimizers.Adam(digits.FIRST_RATE, epsilon=1e-8),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)


class Curve(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = digits.rate(epoch + 1)

    def on_epoch_end(self, epoch, logs=None):
        told = self.model.predict_on_batch(test_images).argmax(1)
        self.accuracy = (told == data.test_labels).mean()
        seedlock.log_metric("accuracy_by_epoch", self.accuracy, step=epoch + 1)


curve = Curve()
model.fit(
    images, data.labels, batch_size=digits.BATCH, epochs=digits.EPOCHS, verbose=0, callbacks=[curve]
)
seedlock.log_metric("accuracy", curve.accuracy)
print(f"accuracy {curve.accuracy:.4f}")
