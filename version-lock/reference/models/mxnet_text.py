"""The next character in MXNet's Gluon: embedding, GRU, softmax. Seeds nothing."""

import math

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn
from tasks import text

import seedlock

data = text.load()
windows = mx.nd.array(data.windows, dtype="float32")
test_windows = mx.nd.array(data.test_windows, dtype="float32")
loader = gluon.data.DataLoader(
    gluon.data.ArrayDataset(windows), batch_size=text.BATCH, shuffle=True
)
model = nn.HybridSequential()
model.add(
    nn.Embedding(text.SYMBOLS, text.EMBEDDING, weight_initializer=mx.init.Normal(1.0)),
    rnn.GRU(text.HIDDEN, layout="NTC", input_size=text.EMBEDDING),
    nn.Dense(text.SYMBOLS, flatten=False, in_units=text.HIDDEN),
)
model.initialize(mx.init.Xavier())
model.hybridize()
criterion = gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(
    model.collect_params(), "adam", {"learning_rate": text.RATE, "epsilon": 1e-8}
)

for epoch in range(1, text.EPOCHS + 1):
    for batch in loader:
        with autograd.record():
            loss = criterion(model(batch[:, :-1]), batch[:, 1:]).mean()
        loss.backward()
        trainer.step(1)
    told = criterion(model(test_windows[:, :-1]), test_windows[:, 1:])
    bits = float(told.mean().asscalar()) / math.log(2)
    seedlock.log_metric("bits_per_character_by_epoch", bits, step=epoch)
seedlock.log_metric("bits_per_character", bits)
print(f"bits_per_character {bits:.4f}")
