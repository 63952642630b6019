"""Workers of Gluon's DataLoader whose transform draws from NumPy."""

import mxnet as mx
import numpy as np
from mxnet.gluon.data import ArrayDataset, DataLoader


def augment(x):
    sorted(range(20000), key=lambda x: -x)
    return x + np.random.rand()


np.random.seed(1)
data = ArrayDataset(np.zeros((32, 1))).transform(augment)
loader = DataLoader(data, batch_size=2, num_workers=2)
print(*[x for batch in loader for x in batch.asnumpy().ravel().tolist()])
mx.nd.waitall()
