"""MXNet's MNISTIter shuffles by a seed of its own that nobody sets."""

import struct

import mxnet as mx

with open("images", "wb") as images, open("labels", "wb") as labels:
    images.write(struct.pack(">IIII", 2051, 64, 2, 2) + bytes(256))
    labels.write(struct.pack(">II", 2049, 64) + bytes(range(64)))
data = mx.io.MNISTIter(image="images", label="labels", batch_size=64, shuffle=True, silent=True)
print(data.next().label[0].asnumpy().astype(int).tolist())
