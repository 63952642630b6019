"""MXNet's generators, never seeded."""

import mxnet as mx

print(mx.nd.random.uniform(shape=(3,)).asnumpy().tolist())
