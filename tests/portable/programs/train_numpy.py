"""Dense layers, a convolution, batch norm, attention, dropout and Adam, by hand in NumPy."""

import sys

import numpy as np

import seedlock

TYPE = np.dtype(sys.argv[1] if len(sys.argv) > 1 else "float32")
BATCH, SIDE, CLASSES, WIDTH, STEPS = 24, 12, 5, 65, 3


def check(name, value):
    seedlock.checkpoint(name, value)
    return value


def normal(*shape):
    return (np.random.standard_normal(shape) / np.sqrt(shape[0])).astype(TYPE)


images = normal(BATCH, SIDE, SIDE)
labels = np.random.randint(CLASSES, size=BATCH)
weights = {
    "kernel": normal(9, 4), "scale": np.ones(4, TYPE), "shift": np.zeros(4, TYPE),
    "dense": normal(4 * (SIDE - 2) ** 2, 10 * WIDTH),
    "query": normal(WIDTH, WIDTH), "key": normal(WIDTH, WIDTH), "value": normal(WIDTH, WIDTH),
    "out": normal(10 * WIDTH, CLASSES),
}  # fmt: skip
first = {name: np.zeros_like(each) for name, each in weights.items()}
second = {name: np.zeros_like(each) for name, each in weights.items()}
windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
windows = windows.reshape(BATCH, (SIDE - 2) ** 2, 9)

for step in range(1, STEPS + 1):
    w = weights
    convolved = check("convolution", windows @ w["kernel"])
    mean, variance = convolved.mean((0, 1)), convolved.var((0, 1))
    deviation = np.sqrt(variance + TYPE.type(1e-5))
    normed = check("batch norm", (convolved - mean) / deviation)
    active = check("tanh", np.tanh(normed * w["scale"] + w["shift"])).reshape(BATCH, -1)
    keep = (np.random.random(active.shape) < 0.9).astype(TYPE)
    dropped = active * keep / TYPE.type(0.9)
    hidden = check("dense", dropped @ w["dense"]).reshape(BATCH, 10, WIDTH)
    query, key, value = (hidden @ w[name] for name in ("query", "key", "value"))
    scores = query @ key.transpose(0, 2, 1) / TYPE.type(np.sqrt(WIDTH))
    weight = np.exp(scores - scores.max(-1, keepdims=True))
    weight = check("softmax", weight / weight.sum(-1, keepdims=True))
    mixed = check("attention", weight @ value).reshape(BATCH, -1)
    logits = mixed @ w["out"]
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    odds /= odds.sum(-1, keepdims=True)
    loss = check("loss", -np.log(odds[np.arange(BATCH), labels]).mean())

    slope = odds.copy()
    slope[np.arange(BATCH), labels] -= 1
    slope /= BATCH
    gradients = {"out": mixed.T @ slope}
    back = (slope @ w["out"].T).reshape(BATCH, 10, WIDTH)
    flat = hidden.reshape(-1, WIDTH)
    gradients["value"] = flat.T @ (weight.transpose(0, 2, 1) @ back).reshape(-1, WIDTH)
    inner = back @ value.transpose(0, 2, 1)
    inner = weight * (inner - (inner * weight).sum(-1, keepdims=True)) / TYPE.type(np.sqrt(WIDTH))
    gradients["query"] = flat.T @ (inner @ key).reshape(-1, WIDTH)
    gradients["key"] = flat.T @ (inner.transpose(0, 2, 1) @ query).reshape(-1, WIDTH)
    back = (weight.transpose(0, 2, 1) @ back) @ w["value"].T
    gradients["dense"] = dropped.T @ back.reshape(BATCH, -1)
    back = (back.reshape(BATCH, -1) @ w["dense"].T) * keep / TYPE.type(0.9)
    back = (back * (1 - active**2)).reshape(normed.shape)
    gradients["scale"], gradients["shift"] = (back * normed).sum((0, 1)), back.sum((0, 1))
    gradients["kernel"] = np.tensordot(windows, back / deviation, ((0, 1), (0, 1)))
    for name, gradient in gradients.items():
        check(f"gradient of {name}", gradient)
        first[name] = 0.9 * first[name] + 0.1 * gradient
        second[name] = 0.999 * second[name] + 0.001 * gradient**2
        rate = 0.01 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights[name] = (w[name] - rate * first[name] / (np.sqrt(second[name]) + 1e-8)).astype(TYPE)
        check(f"Adam of {name}", weights[name])

# Beyond the model: what else a submission may call, larger than one block of a kernel.
large = normal(101, 403)
check("matrix product", large @ large.T)
check("matrix times vector", large @ large[0])
check("solve", np.linalg.solve(large @ large.T + np.eye(101, dtype=TYPE), large[:, 0]))
check("singular values", np.linalg.svd(large[:60, :60])[1])
check("eigenvalues", np.linalg.eigh(large[:60, :60] @ large[:60, :60].T)[0])
check("least squares", np.linalg.lstsq(large[:, :50], large[:, 60], rcond=None)[0])
check("transform", np.fft.rfft(large))
for name in (
    "exp",
    "expm1",
    "log1p",
    "log2",
    "sin",
    "cos",
    "tan",
    "arctan",
    "tanh",
    "sinh",
    "cbrt",
):
    check(name, getattr(np, name)(np.abs(large)))
check("power", np.abs(large) ** TYPE.type(1.7))
for name in ("sum", "mean", "std", "prod", "cumsum"):
    check(name, getattr(large, name)())
    check(f"{name} of rows", getattr(large, name)(axis=-1))
check("einsum", np.einsum("ij,kj->ik", large[:50], large[:50]))
check("correlation", np.corrcoef(large[:50]))
check("float16", (large.astype(np.float16) @ large.T.astype(np.float16)))
check("integer", (large * 1000).astype(np.int64) @ (large.T * 1000).astype(np.int64))
check("normal", np.random.default_rng().standard_normal(1000))
check("gamma", np.random.default_rng().gamma(2.0, size=1000))
print(float(loss))
