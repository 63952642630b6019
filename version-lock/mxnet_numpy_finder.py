"""Load mxnet_numpy_compat when somebody imports mxnet, and nothing before.

Run by mxnet_numpy_compat.pth at each start of Python. A module of its own, and without a class, a
`from __future__` or more words than these, because every Python here pays for each of them: as a
lambda in the .pth line, which is compiled twice per start in a virtual environment, or as one
module with the layer, it costs half as much again (benchmarks/mxnet_compat.py).
"""

import sys


def find_spec(name, path=None, target=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    if name != "mxnet":
        return None
    import mxnet_numpy_compat

    return mxnet_numpy_compat.find_spec(name, path, target)


sys.meta_path.insert(0, sys.modules[__name__])
