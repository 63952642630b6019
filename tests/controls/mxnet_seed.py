"""mx.random.seed with the author's number."""

import mxnet as mx

mx.random.seed(1)
print(mx.nd.random.uniform(shape=(3,)).asnumpy().tolist())
