"""mx.np draws after mx.npx.random.seed with the author's number."""

import mxnet as mx

mx.npx.random.seed(1)
print(mx.np.random.uniform(size=(3,)).asnumpy().tolist())
