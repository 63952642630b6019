"""Digits in MXNet's Gluon: a small convolutional network after LeNet-5. Seeds nothing."""

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn
from tasks import digits

import seedlock

data = digits.load()
images = mx.nd.array(data.images[:, None], dtype="float32")
labels = mx.nd.array(data.labels, dtype="float32")
test_images = mx.nd.array(data.test_images[:, None], dtype="float32")
loader = gluon.data.DataLoader(
    gluon.data.ArrayDataset(images, labels), batch_size=digits.BATCH, shuffle=True
)
model = nn.HybridSequential()
model.add(
    nn.Conv2D(16, 3, activation="relu"), nn.Conv2D(32, 3, activation="relu"), nn.MaxPool2D(2),
    nn.Flatten(), nn.Dense(64, activation="relu"), nn.Dropout(digits.DROPPED), nn.Dense(10),
)  # fmt: skip
model.initialize(mx.init.Xavier())
model.hybridize()
criterion = gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(
    model.collect_params(), "adam", {"learning_rate": digits.FIRST_RATE, "epsilon": 1e-8}
)

for epoch in range(1, digits.EPOCHS + 1):
    trainer.set_learning_rate(digits.rate(epoch))
    for batch, truth in loader:
        with autograd.record():
            loss = criterion(model(batch), truth).mean()
        loss.backward()
        trainer.step(1)
    told = model(test_images).argmax(axis=1).asnumpy()
    accuracy = float((told == data.test_labels).mean())
    seedlock.log_metric("accuracy_by_epoch", accuracy, step=epoch)
seedlock.log_metric("accuracy", accuracy)
print(f"accuracy {accuracy:.4f}")
