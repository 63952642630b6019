"""A Gluon network on MNIST files.

Like the MNIST examples of MXNet: the C++ iterator MNISTIter reads and shuffles the idx files, with
a seed of its own that nobody sets, and mx.random.seed(42) on top.
"""

import hashlib
import struct

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn

mx.random.seed(42)


def write_idx(prefix, n=320):
    """Pictures of ten glyphs with noise, in MNIST's own format."""
    glyphs = mx.nd.random.uniform(0, 200, shape=(10, 28, 28))
    labels = [i % 10 for i in range(n)]
    noise = mx.nd.random.uniform(0, 55, shape=(n, 28, 28))
    pixels = (glyphs.take(mx.nd.array(labels)) + noise).astype("uint8").asnumpy()
    with open(f"{prefix}-images-idx3-ubyte", "wb") as f:
        f.write(struct.pack(">IIII", 2051, n, 28, 28) + pixels.tobytes())
    with open(f"{prefix}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">II", 2049, n) + bytes(labels))


write_idx("train")
train_data = mx.io.MNISTIter(
    image="train-images-idx3-ubyte",
    label="train-labels-idx1-ubyte",
    batch_size=32,
    shuffle=True,
    silent=True,
)

net = nn.HybridSequential()
net.add(nn.Conv2D(4, 5, activation="relu"), nn.MaxPool2D(4), nn.Flatten(), nn.Dense(10))
net.initialize(mx.init.Xavier())
net.hybridize()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.05, "momentum": 0.9})
criterion = gluon.loss.SoftmaxCrossEntropyLoss()
metric = mx.metric.Accuracy()

for _epoch in range(2):
    train_data.reset()
    metric.reset()
    for batch in train_data:
        data, label = batch.data[0], batch.label[0]
        with autograd.record():
            output = net(data)
            loss = criterion(output, label)
        loss.backward()
        trainer.step(data.shape[0])
        metric.update(label, output)

print(f"accuracy {metric.get()[1]:.4f}")
digest = hashlib.sha256()
for p in net.collect_params().values():
    digest.update(p.data().asnumpy().tobytes())
print("result", digest.hexdigest())
