"""A pole on a cart in MXNet's Gluon: REINFORCE with one hidden layer. Seeds nothing."""

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn
from tasks import control

import seedlock

policy = nn.HybridSequential()
policy.add(nn.Dense(control.HIDDEN, activation="tanh", in_units=4), nn.Dense(2))
policy.initialize(mx.init.Xavier())
policy.hybridize()
criterion = gluon.loss.SoftmaxCrossEntropyLoss(batch_axis=0)
trainer = gluon.Trainer(
    policy.collect_params(), "adam", {"learning_rate": control.RATE, "epsilon": 1e-8}
)


def choose(states):
    right = mx.nd.softmax(policy(mx.nd.array(states, dtype="float32")))[:, 1]
    return (mx.nd.random.uniform(shape=control.CARTS) < right).asnumpy()


def play(reach):
    starts = mx.nd.random.uniform(-reach, reach, (control.CARTS, 4))
    return control.play(starts.asnumpy(), choose)


for epoch in range(1, control.EPOCHS + 1):
    played = play(control.START)
    states, actions, weights = (
        mx.nd.array(each, dtype="float32")
        for each in (played.states, played.actions, played.weights)
    )
    with autograd.record():
        loss = (criterion(policy(states), actions) * weights).sum()
    loss.backward()
    trainer.step(1)
    seedlock.log_metric("mean_return_by_epoch", played.mean_return, step=epoch)
mean_return = play(control.TEST_START).mean_return
seedlock.log_metric("mean_return", mean_return)
print(f"mean_return {mean_return:.2f}")
