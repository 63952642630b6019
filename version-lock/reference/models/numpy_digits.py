"""Digits in scikit-learn: a perceptron with two hidden layers. Seeds nothing."""

import numpy as np
from sklearn.neural_network import MLPClassifier
from tasks import digits

import seedlock

data = digits.load()
images = data.images.reshape(len(data.images), -1)
test_images = data.test_images.reshape(len(data.test_images), -1)
model = MLPClassifier(
    hidden_layer_sizes=(128, 64), alpha=0.0, batch_size=digits.BATCH,
    learning_rate_init=digits.FIRST_RATE,
)  # fmt: skip

for epoch in range(1, digits.EPOCHS + 1):
    model.partial_fit(images, data.labels, classes=np.arange(10))
    accuracy = model.score(test_images, data.test_labels)
    seedlock.log_metric("accuracy_by_epoch", accuracy, step=epoch)
seedlock.log_metric("accuracy", accuracy)
print(f"accuracy {accuracy:.4f}")
