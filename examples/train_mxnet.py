"""A small convolutional network in MXNet Gluon, with dropout and a shuffling loader. Seeds
nothing: MXNet 1.9.1 then starts from 0 in every run, deaf to any outside seed of its own."""

import hashlib

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn

images = mx.nd.random.normal(shape=(256, 1, 12, 12))
labels = images.mean(axis=(1, 2, 3)) > 0
dataset = gluon.data.ArrayDataset(images, labels)
loader = gluon.data.DataLoader(dataset, batch_size=32, shuffle=True)
model = nn.HybridSequential()
model.add(
    nn.Conv2D(8, 3, activation="relu"), nn.BatchNorm(), nn.MaxPool2D(2), nn.Flatten(),
    nn.Dropout(0.2), nn.Dense(2),
)  # fmt: skip
model.initialize(mx.init.Xavier())
model.hybridize()
trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-3})
criterion = gluon.loss.SoftmaxCrossEntropyLoss()

for _epoch in range(4):
    for batch, target in loader:
        with autograd.record():
            loss = criterion(model(batch), target).mean()
        loss.backward()
        trainer.step(1)

digest = hashlib.sha256()
for parameter in model.collect_params().values():
    digest.update(parameter.data().asnumpy().tobytes())
print(f"loss {loss.asscalar():.6f}")
print("digest", digest.hexdigest())
