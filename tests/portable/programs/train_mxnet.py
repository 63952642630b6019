"""Dense layers, a convolution, batch norm, attention, dropout and Adam in MXNet's Gluon."""

import sys

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

TYPE = sys.argv[1] if len(sys.argv) > 1 else "float32"


class Net(gluon.Block):
    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2D(16, 3, padding=1), nn.BatchNorm()
        self.dense, self.drop = nn.Dense(64, flatten=False), nn.Dropout(0.2)
        self.query, self.key = nn.Dense(64, flatten=False), nn.Dense(64, flatten=False)
        self.value, self.out = nn.Dense(64, flatten=False), nn.Dense(10)

    def forward(self, images):
        hidden = nd.tanh(self.norm(self.convolution(images))).reshape((0, 16, -1))
        hidden = self.drop(nd.relu(self.dense(hidden)))
        scores = nd.batch_dot(self.query(hidden), self.key(hidden), transpose_b=True) / 8
        return self.out(nd.batch_dot(nd.softmax(scores), self.value(hidden)).mean(axis=1))


net = Net()
net.initialize(mx.init.Xavier())
net.cast(TYPE)
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 1e-2})
for _ in range(3):
    images = nd.random.normal(shape=(8, 3, 8, 8)).astype(TYPE)
    labels = nd.random.randint(0, 10, shape=(8,)).astype(TYPE)
    with autograd.record():
        loss = gluon.loss.SoftmaxCrossEntropyLoss()(net(images), labels).mean()
    loss.backward()
    trainer.step(1)
print(loss.asscalar())
