"""Train in MXNet Gluon with dropout and shuffling; `train_mxnet.py FOLDER EPOCHS [resume|forget]`.

Each epoch leaves a checkpoint: parameters and trainer as MXNet saves them. A training of 2 epochs
ends by pickling the generators, and no other takes their state, which might change what follows.
`resume` goes on from epoch 2 with the generators' state, `forget` without.
"""

import hashlib
import pickle
import sys
from pathlib import Path

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn

import seedlock

folder, epochs, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
features = mx.nd.random.normal(shape=(128, 10))
labels = features.sum(axis=1) > 0
dataset = gluon.data.ArrayDataset(features, labels)
loader = gluon.data.DataLoader(dataset, batch_size=16, shuffle=True)
model = nn.HybridSequential()
model.add(nn.Dense(16, activation="relu", in_units=10), nn.Dropout(0.5), nn.Dense(2, in_units=16))
model.initialize(mx.init.Xavier())
model.hybridize()
trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 1e-2})
criterion = gluon.loss.SoftmaxCrossEntropyLoss()
begin = 0
if how:
    model.load_parameters(str(folder / "epoch-2.params"))
    trainer.load_states(str(folder / "epoch-2.states"))
    begin = 2
    if how == ["resume"]:
        seedlock.load_state_dict(pickle.loads((folder / "epoch-2.pickle").read_bytes()))

for epoch in range(begin, epochs):
    for batch, target in loader:
        batch = batch + 0.1 * mx.nd.random.shuffle(mx.nd.random.normal(shape=batch.shape))
        with autograd.record():
            loss = criterion(model(batch), target).mean()
        loss.backward()
        trainer.step(1)
    model.save_parameters(str(folder / f"epoch-{epoch + 1}.params"))
    trainer.save_states(str(folder / f"epoch-{epoch + 1}.states"))
if epochs == 2:
    (folder / "epoch-2.pickle").write_bytes(pickle.dumps(seedlock.state_dict()))

digest = hashlib.sha256()
for parameter in model.collect_params().values():
    digest.update(parameter.data().asnumpy().tobytes())
sys.stdout.write(digest.hexdigest())
