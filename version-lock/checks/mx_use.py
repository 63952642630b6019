"""Use 71 corners of Apache MXNet 1.9.1 and say which work with the NumPy that is installed.

    python version-lock/checks/mx_use.py [--json] [--verbose]

Each function below is one use. Three of them can't work with any NumPy from 1.24 on; they are
listed in EXPECTED_FAILURES with the reason. The exit status is 0 when exactly those fail, 1 when
another fails or one of them works (then the list is out of date).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import logging
import pickle
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

np: Any = importlib.import_module("numpy")
mx: Any = importlib.import_module("mxnet")
autograd, gluon, nd = mx.autograd, mx.gluon, mx.nd
same = np.testing.assert_allclose

Use = Callable[[], None]
USES: dict[str, Use] = {}

_NO_ARRAY = "mxnet arrays have no __array__, NumPy walks into them without end: use .asnumpy()"
EXPECTED_FAILURES = {
    "numpy_asarray_of_nd": _NO_ARRAY,
    "numpy_asarray_of_mx_np": _NO_ARRAY,
    "numpy_array_copy_of_mx_np": _NO_ARRAY,
}

_generator = np.random.RandomState(0)
FEATURES = _generator.randn(32, 8).astype("float32")
LABELS = (FEATURES.sum(1) > 0).astype("float32")


def use(function: Use) -> Use:
    USES[function.__name__] = function
    return function


def new_file() -> str:
    return str(Path(tempfile.mkdtemp(prefix="mx_use_")) / "file")


def train(net: Any, loss: Any, inputs: Any, labels: Any, optimizer: str = "sgd") -> list[float]:
    """Train five steps from a fixed start and return the loss of each."""
    options = {"learning_rate": 0.05} if optimizer == "sgd" else {}
    mx.random.seed(0)
    np.random.seed(0)
    net.initialize(mx.init.Xavier(), force_reinit=True)
    trainer = gluon.Trainer(net.collect_params(), optimizer, options)
    losses = []
    for _ in range(5):
        with autograd.record():
            value = loss(net(inputs), labels)
        value.backward()
        trainer.step(inputs.shape[0])
        losses.append(float(value.mean().asnumpy().reshape(())))
    assert all(map(np.isfinite, losses)), losses
    return losses


def sequence(*layers: Any) -> Any:
    net = gluon.nn.HybridSequential()
    net.add(*layers)
    return net


def cross_entropy() -> Any:
    return gluon.loss.SoftmaxCrossEntropyLoss()


# ---- mx.nd


@use
def nd_arithmetic() -> None:
    a = nd.array([[1, 2], [3, 4]])
    same((a * 2 + 1).asnumpy(), [[3, 5], [7, 9]])
    same(nd.dot(a, a).asnumpy(), [[7, 10], [15, 22]])
    assert a.sum().asscalar() == 10
    nd.waitall()


@use
def nd_from_numpy_in_every_dtype() -> None:
    for dtype in ("float16", "float32", "float64", "int8", "int32", "int64", "uint8"):
        x = np.arange(6, dtype=dtype).reshape(2, 3)
        y = nd.array(x, dtype=dtype)
        assert y.dtype == np.dtype(dtype), (y.dtype, dtype)
        same(y.asnumpy(), x)


@use
def nd_index() -> None:
    a = nd.arange(24).reshape((4, 6))
    same(a[1:3, 2].asnumpy(), [8, 14])
    assert a[nd.array([0, 2])].shape == (2, 6)
    a[0, 0] = 9
    assert a[0, 0].asscalar() == 9
    a[:] = np.ones((4, 6))
    assert a.sum().asscalar() == 24


@use
def nd_index_with_numpy_integers() -> None:
    a = nd.arange(24).reshape((4, 6))
    same(a[np.int64(2)].asnumpy(), np.arange(12, 18))
    assert a[np.int64(2), np.int64(1)].asscalar() == 13
    assert a[np.int64(1) : np.int64(3)].shape == (2, 6)


@use
def nd_zeros_with_numpy_integers() -> None:
    assert nd.zeros((np.int64(2), 3)).shape == (2, 3)


@use
def nd_reshape_with_numpy_integers() -> None:
    assert nd.zeros((6,)).reshape((np.int64(2), 3)).shape == (2, 3)


@use
def nd_operator_shape_with_numpy_integers() -> None:
    assert nd.random.normal(shape=(np.int64(2), 3)).shape == (2, 3)


@use
def nd_operator_axes_with_numpy_integers() -> None:
    assert nd.transpose(nd.zeros((2, 3)), axes=(np.int64(1), np.int64(0))).shape == (3, 2)


@use
def nd_arithmetic_with_numpy_scalars() -> None:
    same((nd.ones((2,)) * np.float64(2.5)).asnumpy(), [2.5, 2.5])
    same((nd.ones((2,)) + np.float32(1.5)).asnumpy(), [2.5, 2.5])
    assert isinstance(np.float32(2) * nd.ones((2,)), nd.NDArray)


@use
def nd_operator_bounds_with_numpy_floats() -> None:
    clipped = nd.clip(nd.array([1.0, 5.0]), a_min=np.float32(0.0), a_max=np.float64(2.0))
    same(clipped.asnumpy(), [1, 2])


@use
def nd_operator_tuple_of_numpy_floats() -> None:
    half = (np.float64(0.5),) * 3
    normal = nd.image.normalize(nd.ones((3, 2, 2)), mean=half, std=half)
    same(normal.asnumpy(), np.ones((3, 2, 2)))


@use
def nd_integer_array_plus_numpy_integer() -> None:
    same((nd.array([1, 2], dtype="int32") + np.int64(3)).asnumpy(), [4, 5])


@use
def nd_half_precision() -> None:
    a = nd.ones((4, 4), dtype="float16")
    same((a + a).asnumpy(), np.full((4, 4), 2))


@use
def nd_repr() -> None:
    assert "[1.5 2. ]" in repr(nd.array([1.5, 2]))


@use
def nd_save_and_load() -> None:
    path = new_file()
    nd.save(path, {"a": nd.ones((2, 2))})
    same(nd.load(path)["a"].asnumpy(), np.ones((2, 2)))


@use
def nd_pickle() -> None:
    same(pickle.loads(pickle.dumps(nd.ones((2,)))).asnumpy(), [1, 1])


@use
def nd_dlpack() -> None:
    a = nd.ones((2, 2))
    same(nd.from_dlpack(nd.to_dlpack_for_read(a)).asnumpy(), a.asnumpy())


@use
def nd_from_numpy_without_copy() -> None:
    same(nd.from_numpy(np.ones((2, 3), dtype="float32")).asnumpy(), np.ones((2, 3)))


@use
def nd_sparse() -> None:
    a = nd.sparse.csr_matrix(np.eye(3, dtype="float32"))
    same(nd.sparse.dot(a, nd.ones((3, 2))).asnumpy(), np.ones((3, 2)))
    rows = nd.sparse.row_sparse_array((np.ones((1, 2)), [1]), shape=(3, 2))
    same(rows.asnumpy()[1], [1, 1])


@use
def nd_matrix_products_are_accurate() -> None:
    for size in (3, 17, 64, 255, 512):
        a, b = (_generator.randn(size, size).astype("float32") for _ in range(2))
        exact = a.astype("f8") @ b.astype("f8")
        assert abs(nd.dot(nd.array(a), nd.array(b)).asnumpy() - exact).max() < 1e-2
        double = nd.linalg.gemm2(nd.array(a, dtype="float64"), nd.array(b, dtype="float64"))
        assert abs(double.asnumpy() - exact).max() < 1e-8


@use
def idiom_float_of_loss_asnumpy() -> None:
    assert float(nd.ones((2,)).mean().asnumpy()) == 1


@use
def idiom_truth_of_one_element() -> None:
    assert bool(nd.ones((1,)))


# ---- NumPy given mxnet arrays


@use
def numpy_asarray_of_nd() -> None:
    assert np.asarray(nd.ones((2, 3))).dtype == np.float32


@use
def numpy_asarray_of_mx_np() -> None:
    assert np.asarray(mx.np.ones((2, 3))).dtype == np.float32


@use
def numpy_array_copy_of_mx_np() -> None:
    assert np.array(mx.np.ones((2, 3)), copy=True).dtype == np.float32


@use
def numpy_functions_dispatch_to_mxnet() -> None:
    a = mx.np.array([1.0, 2.0])
    assert isinstance(np.mean(a), mx.np.ndarray)
    assert isinstance(np.concatenate([a, a]), mx.np.ndarray)


@use
def numpy_ufuncs_dispatch_to_mxnet() -> None:
    a = mx.np.array([1.0, 2.0])
    assert isinstance(np.add(a, a), mx.np.ndarray)


@use
def numpy_reductions_dispatch_to_mxnet() -> None:
    a = mx.np.array([1.0, 0.0])
    for function in (np.any, np.all, np.prod, np.round):
        assert isinstance(function(a), mx.np.ndarray), function


@use
def numpy_scalar_on_the_left() -> None:
    assert isinstance(np.float32(2) * mx.np.ones((2,)), mx.np.ndarray)
    assert isinstance(np.int64(2) + mx.np.ones((2,)), mx.np.ndarray)


# ---- mx.np


@use
def mx_np_functions() -> None:
    a = mx.np.array([[1.0, 2.0], [3.0, 4.0]])
    square = [[7, 10], [15, 22]]
    same(mx.np.dot(a, a).asnumpy(), square)
    same(mx.np.einsum("ij,jk->ik", a, a).asnumpy(), square)
    assert mx.np.mean(a).item() == 2.5
    assert mx.np.concatenate([a, a]).shape == (4, 2)
    assert len(mx.np.linalg.svd(a)) == 3
    same(mx.np.dot(mx.np.linalg.inv(a), a).asnumpy(), np.eye(2), atol=1e-5)
    same(mx.np.exp(a).asnumpy(), np.exp(a.asnumpy()), rtol=1e-5)
    same(mx.np.where(a > 2, a, -a).asnumpy(), [[-1, -2], [3, 4]])
    same(a[a > 2].asnumpy(), [3, 4])


@use
def mx_np_random() -> None:
    draws = []
    for _ in range(2):
        mx.random.seed(3)
        draws.append(mx.np.random.normal(0, 1, size=(3,)).asnumpy())
    same(draws[0], draws[1], rtol=0)
    assert mx.np.random.uniform(size=(2,)).shape == (2,)
    assert mx.np.random.randint(0, 5, size=(3,)).shape == (3,)
    mx.np.random.shuffle(mx.np.arange(5))
    assert mx.np.random.choice(5, size=3).shape == (3,)
    assert mx.np.random.multinomial(5, [0.2, 0.8]).asnumpy().sum() == 5


@use
def mx_np_pad() -> None:
    same(mx.np.pad(mx.np.ones((2,)), (1, 1), mode="constant").asnumpy(), [0, 1, 1, 0])


@use
def mx_np_array_of_bool() -> None:
    a = mx.np.array([True, False], dtype="bool")
    assert a.dtype == np.bool_
    assert a.asnumpy().tolist() == [True, False]


@use
def mx_np_names_of_bool() -> None:
    for array in (
        mx.np.zeros((2,), dtype=bool),
        mx.np.ones((2,), dtype="bool"),
        mx.np.array([1, 0], dtype=np.bool_),
    ):
        assert array.dtype == np.bool_


@use
def mx_np_zeros_with_numpy_integers() -> None:
    assert mx.np.zeros((np.int64(2), 3)).shape == (2, 3)


@use
def mx_np_reshape_with_numpy_integers() -> None:
    assert mx.np.zeros((6,)).reshape((np.int64(2), 3)).shape == (2, 3)


@use
def mx_np_functions_borrowed_from_numpy() -> None:
    a, x = mx.np.array([3.0, 1.0, 2.0]), mx.np
    assert x.in1d(a, x.array([1.0])).tolist() == [False, True, False]
    assert x.msort(a).tolist() == [1, 2, 3]
    assert float(x.trapz(a)) == 3.5
    assert bool(x.alltrue(a))
    assert bool(x.isin(a, a).all()) and bool(x.allclose(a, a))
    assert float(x.percentile(a, 50)) == 2
    assert x.interp(x.array([1.5]), x.array([1.0, 2.0]), x.array([1.0, 2.0])).tolist() == [1.5]
    assert float(x.ptp(a)) == 2 and float(x.nanmax(a)) == 3
    same(float(x.corrcoef(a)), 1)
    assert x.union1d(a, a).tolist() == [1, 2, 3]
    same(x.polyfit(a, a, 1).asnumpy(), [1, 0], atol=1e-5)


@use
def mx_np_constants() -> None:
    assert mx.np.finfo("float32").eps > 0
    assert 3.1 < mx.np.pi < 3.2


# ---- autograd and operators of one's own


@use
def autograd_nd() -> None:
    x = nd.array([1.0, 2.0, 3.0])
    x.attach_grad()
    with autograd.record():
        y = (x * x).sum()
    y.backward()
    same(x.grad.asnumpy(), [2, 4, 6])


@use
def autograd_mx_np() -> None:
    x = mx.np.array([1.0, 2.0, 3.0])
    x.attach_grad()
    with autograd.record():
        y = (x * x).sum()
    y.backward()
    same(x.grad.asnumpy(), [2, 4, 6])


@use
def autograd_function() -> None:
    def forward(self: Any, x: Any) -> Any:
        y = 1 / (1 + nd.exp(-x))
        self.save_for_backward(y)
        return y

    def backward(self: Any, gradient: Any) -> Any:
        (y,) = self.saved_tensors
        return gradient * y * (1 - y)

    sigmoid = type("Sigmoid", (autograd.Function,), {"forward": forward, "backward": backward})
    x = nd.zeros((2,))
    x.attach_grad()
    with autograd.record():
        y = sigmoid()(x)
    y.backward()
    same(x.grad.asnumpy(), [0.25, 0.25])


@use
def custom_operator() -> None:
    def forward(self: Any, req: Any, in_data: Any, out_data: Any, **_: Any) -> None:
        self.assign(out_data[0], req[0], nd.array(np.tanh(in_data[0].asnumpy())))

    operator = type("Tanh", (mx.operator.CustomOp,), {"forward": forward})
    properties = {
        "list_arguments": lambda _: ["data"],
        "list_outputs": lambda _: ["output"],
        "infer_shape": lambda _, shapes: (shapes, [shapes[0]], []),
        "create_operator": lambda *_: operator(),
    }
    mx.operator.register("mx_use_tanh")(type("P", (mx.operator.CustomOpProp,), properties))
    same(nd.Custom(nd.ones((2,)), op_type="mx_use_tanh").asnumpy(), np.tanh([1, 1]), rtol=1e-5)


# ---- gluon


@use
def gluon_dense() -> None:
    def losses(hybrid: bool) -> list[float]:
        net = sequence(gluon.nn.Dense(16, activation="relu"), gluon.nn.Dense(2))
        if hybrid:
            net.hybridize()
        return train(net, cross_entropy(), nd.array(FEATURES), nd.array(LABELS))

    first = losses(hybrid=False)
    assert first == losses(hybrid=False)
    assert first[-1] < first[0]
    assert losses(hybrid=True)[-1] < first[0]


@use
def gluon_optimizers() -> None:
    names = "sgd adam rmsprop adagrad adadelta nag ftrl lamb lars signum nadam adamax ftml sgld"
    for name in [*names.split(), "dcasgd", "lbsgd"]:
        net = gluon.nn.Dense(1)
        train(net, gluon.loss.L2Loss(), nd.array(FEATURES), nd.array(LABELS), name)


@use
def gluon_convolution() -> None:
    net = sequence(
        gluon.nn.Conv2D(4, 3, padding=1),
        gluon.nn.BatchNorm(),
        gluon.nn.Activation("relu"),
        gluon.nn.MaxPool2D(2),
        gluon.nn.GlobalAvgPool2D(),
        gluon.nn.Flatten(),
        gluon.nn.Dropout(0.3),
        gluon.nn.Dense(2),
    )
    net.hybridize()
    images = nd.array(_generator.randn(8, 3, 8, 8))
    train(net, cross_entropy(), images, nd.array([0, 1] * 4))


@use
def gluon_lstm() -> None:
    net = sequence(gluon.rnn.LSTM(6, layout="NTC"), gluon.nn.Dense(2))
    train(net, cross_entropy(), nd.array(_generator.randn(8, 5, 3)), nd.array([0, 1] * 4))


@use
def gluon_lstm_cell() -> None:
    cell = gluon.rnn.LSTMCell(4)
    cell.initialize()
    outputs, _ = cell.unroll(3, nd.ones((2, 3, 5)), layout="NTC")
    assert len(outputs) == 3 or outputs.shape == (2, 3, 4)


@use
def gluon_embedding() -> None:
    net = sequence(gluon.nn.Embedding(10, 4), gluon.nn.Dense(2))
    train(net, cross_entropy(), nd.array([[1, 2], [3, 4]]), nd.array([0, 1]))


@use
def gluon_with_mx_np() -> None:
    mx.npx.set_np()
    try:
        net = sequence(gluon.nn.Dense(4, activation="relu"), gluon.nn.Dense(2))
        train(net, cross_entropy(), mx.np.array(FEATURES), mx.np.array(LABELS))
    finally:
        mx.npx.reset_np()


@use
def gluon_initializers() -> None:
    names = ("Xavier", "MSRAPrelu", "Orthogonal", "Normal", "Uniform", "One", "Zero")
    initializers = [getattr(mx.init, name)() for name in names]
    for initializer in [*initializers, mx.init.Constant(np.float32(2.0))]:
        layer = gluon.nn.Dense(3, in_units=4)
        layer.initialize(initializer)
        assert np.isfinite(layer.weight.data().asnumpy()).all()
    assert "2.0" in mx.init.Constant(2.0).dumps()


@use
def gluon_save_load_export_import() -> None:
    path = new_file()
    layer, loaded = gluon.nn.Dense(3, in_units=4), gluon.nn.Dense(3)
    layer.initialize()
    layer.save_parameters(path)
    loaded.load_parameters(path)
    layer.hybridize()
    outputs = layer(nd.ones((1, 4)))
    layer.export(path)
    block = gluon.SymbolBlock.imports(f"{path}-symbol.json", ["data"], f"{path}-0000.params")
    for again in (loaded, block):
        same(again(nd.ones((1, 4))).asnumpy(), outputs.asnumpy())


@use
def gluon_summary() -> None:
    layer = gluon.nn.Dense(3)
    layer.initialize()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        layer.summary(nd.ones((1, 4)))
    assert "Total params: 15" in printed.getvalue()


@use
def gluon_model_zoo() -> None:
    net = gluon.model_zoo.vision.get_model("resnet18_v1", pretrained=False)
    net.initialize()
    assert net(nd.zeros((1, 3, 32, 32))).shape == (1, 1000)


@use
def gluon_estimator() -> None:
    estimator = importlib.import_module("mxnet.gluon.contrib.estimator")
    net, accuracy = gluon.nn.Dense(2), mx.metric.Accuracy()
    net.initialize()
    estimator.Estimator(
        net,
        cross_entropy(),
        train_metrics=accuracy,
        trainer=gluon.Trainer(net.collect_params(), "sgd"),
    ).fit(
        gluon.data.DataLoader(gluon.data.ArrayDataset(FEATURES, LABELS), 8),
        epochs=2,
        event_handlers=[estimator.EarlyStoppingHandler(accuracy)],
    )
    assert 0 <= accuracy.get()[1] <= 1


# ---- data


def batches(dataset: Any, **options: Any) -> list[Any]:
    found = list(gluon.data.DataLoader(dataset, 8, **options))
    assert len(found) == 4
    return found


@use
def loader_in_process() -> None:
    mx.random.seed(1)
    np.random.seed(1)
    first = batches(gluon.data.ArrayDataset(FEATURES, LABELS), shuffle=True)[0]
    assert first[0].shape == (8, 8)


@use
def loader_with_threads() -> None:
    dataset = gluon.data.ArrayDataset(nd.array(FEATURES), nd.array(LABELS))
    batches(dataset, num_workers=2, thread_pool=True)


@use
def loader_with_processes() -> None:
    first = batches(gluon.data.ArrayDataset(FEATURES, LABELS), num_workers=2)[0]
    same(first[0].asnumpy(), FEATURES[:8])


@use
def loader_with_prefetch() -> None:
    dataset = gluon.data.ArrayDataset(nd.array(FEATURES), nd.array(LABELS))
    batches(dataset, num_workers=1, prefetch=2)


@use
def image_transforms() -> None:
    steps = gluon.data.vision.transforms
    transform = steps.Compose(
        [steps.Resize(8), steps.RandomFlipLeftRight(), steps.ToTensor(), steps.Normalize(0.5, 0.5)]
    )
    assert transform(nd.array(np.ones((10, 10, 3)), dtype="uint8")).shape == (3, 8, 8)


@use
def image_augmenters() -> None:
    image = nd.array(_generator.randint(0, 255, (20, 20, 3)), dtype="uint8")
    jitter = dict.fromkeys(("brightness", "contrast", "saturation", "hue", "pca_noise"), 0.1)
    for augmenter in mx.image.CreateAugmenter(
        (3, 10, 10), rand_crop=True, rand_mirror=True, mean=True, std=True, **jitter
    ):
        image = augmenter(image)
    assert image.shape == (10, 10, 3)


@use
def array_iterator() -> None:
    padded = mx.io.NDArrayIter(
        {"data": FEATURES}, {"softmax_label": LABELS}, 10, shuffle=True, last_batch_handle="pad"
    )
    assert len(list(padded)) == 4
    discarded = mx.io.NDArrayIter(FEATURES, LABELS, 10, last_batch_handle="discard")
    assert len(list(discarded)) == 3


@use
def recordio() -> None:
    path = new_file()
    header = mx.recordio.IRHeader
    writer = mx.recordio.MXRecordIO(path, "w")
    writer.write(mx.recordio.pack(header(0, 1.0, 3, 0), b"abc"))
    writer.write(mx.recordio.pack(header(0, [1.0, 2.0], 3, 0), b"x"))
    writer.close()
    reader = mx.recordio.MXRecordIO(path, "r")
    one, content = mx.recordio.unpack(reader.read())
    assert (one.label, content) == (1.0, b"abc")
    several, _ = mx.recordio.unpack(reader.read())
    same(several.label, [1, 2])


# ---- the rest


@use
def metrics() -> None:
    m = mx.metric
    labels, predicted = nd.array([1, 0, 0]), nd.array([[0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])
    for metric, expected in (
        (m.Accuracy(), 2 / 3),
        (m.TopKAccuracy(2), 1),
        (m.F1(), 2 / 3),
        (m.MCC(), 0.5),
        (m.CrossEntropy(), 0.8256),
        (m.NegativeLogLikelihood(), 0.8256),
        (m.Perplexity(None), 2.2834),
        (m.PCC(), 0.5),
    ):
        metric.update([labels], [predicted])
        same(metric.get()[1], expected, rtol=1e-3, err_msg=metric.name)
    labels, predicted = nd.array([1.0, 2.0, 3.0]), nd.array([1.0, 2.5, 3.0])
    for metric, expected in (
        (m.MAE(), 1 / 6),
        (m.MSE(), 1 / 12),
        (m.RMSE(), 0.2887),
        (m.PearsonCorrelation(), 0.9608),
    ):
        metric.update([labels], [predicted])
        same(metric.get()[1], expected, rtol=1e-3, err_msg=metric.name)


@use
def symbol_module() -> None:
    layer = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2)
    module = mx.mod.Module(mx.sym.SoftmaxOutput(layer, name="softmax"))
    iterator = mx.io.NDArrayIter(FEATURES, LABELS, 8)
    module.fit(iterator, num_epoch=2, optimizer="sgd")
    ((name, accuracy),) = module.score(iterator, "acc")
    assert name == "accuracy" and 0 <= accuracy <= 1


@use
def symbol_executor() -> None:
    a = mx.sym.var("a")
    executor = (a * 2).bind(mx.cpu(), {"a": nd.ones((2,))})
    same(executor.forward()[0].asnumpy(), [2, 2])
    assert "a" in (a + np.float32(1)).tojson()


@use
def symbol_shape_with_numpy_integers() -> None:
    zeros = mx.sym.zeros((np.int64(2), 3))
    assert "(2, 3)" in zeros.tojson()
    assert zeros.eval()[0].shape == (2, 3)


@use
def key_value_store() -> None:
    store = mx.kv.create("local")
    store.init(3, nd.ones((2,)))
    store.push(3, nd.ones((2,)) * 4)
    pulled = nd.zeros((2,))
    store.pull(3, out=pulled)
    same(pulled.asnumpy(), [4, 4])


@use
def learning_rate_schedule() -> None:
    same(float(mx.lr_scheduler.CosineScheduler(10, 0.1)(5)), 0.05)


@use
def test_utils_gradient() -> None:
    utils = importlib.import_module("mxnet.test_utils")
    utils.assert_almost_equal(nd.ones((2,)), np.ones(2))
    utils.check_numeric_gradient(mx.sym.tanh(mx.sym.var("x")), [np.array([0.1, 0.2])])
    assert utils.rand_ndarray((3, 3)).shape == (3, 3)


@use
def test_utils_chi_square() -> None:
    utils = importlib.import_module("mxnet.test_utils")
    normal = importlib.import_module("scipy.stats").norm
    buckets, probabilities = utils.gen_buckets_probs_with_ppf(normal.ppf, 5)
    mx.random.seed(0)
    p_value, _, _ = utils.chi_square_check(
        lambda count: nd.random.normal(shape=(count,)).asnumpy(), buckets, probabilities, 1000
    )
    assert p_value > 1e-6


@use
def runtime_features() -> None:
    features = mx.runtime.Features()
    assert features.is_enabled("OPENMP") and not features.is_enabled("CUDA")


def run(function: Use) -> str | None:
    """Run one use; return None, or what failed and where."""
    try:
        function()
    except Exception as error:  # noqa: BLE001  # a use may fail in any way; all are counted
        frame = traceback.extract_tb(error.__traceback__)[-1]
        lines = str(error).strip().splitlines() or [""]
        return f"{type(error).__name__}: {lines[0]} ({Path(frame.filename).name}:{frame.lineno})"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--verbose", action="store_true", help="print a line per use")
    options = parser.parse_args()

    # mxnet logs each epoch; warnings of age are a matter of the layer's tests.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    outcome = {name: run(function) for name, function in USES.items()}

    failed = {name: reason for name, reason in outcome.items() if reason is not None}
    expected = {name: failed[name] for name in failed if name in EXPECTED_FAILURES}
    unexpected = {name: failed[name] for name in failed if name not in EXPECTED_FAILURES}
    works_after_all = [name for name in EXPECTED_FAILURES if name not in failed]
    passed = len(outcome) - len(failed)

    if options.json:
        print(
            json.dumps(
                {
                    "python": sys.version.split()[0],
                    "numpy": np.__version__,
                    "mxnet": mx.__version__,
                    "passed": passed,
                    "expected_failures": expected,
                    "unexpected_failures": unexpected,
                    "works_after_all": works_after_all,
                },
                indent=2,
            )
        )
    else:
        if options.verbose:
            for name, reason in outcome.items():
                print(f"{name}: {reason or 'pass'}")
        for name, reason in unexpected.items():
            print(f"unexpected failure: {name}: {reason}")
        for name in works_after_all:
            print(f"expected to fail but works: {name}")
        print(
            f"mxnet {mx.__version__} on numpy {np.__version__}: {passed} pass, "
            f"{len(expected)} expected failures, {len(unexpected)} unexpected failures"
        )
    return 1 if unexpected or works_after_all else 0


if __name__ == "__main__":
    sys.exit(main())
