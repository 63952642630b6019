"""Operations of PyTorch."""

import torch
from results import (
    BIG,
    FRACTIONS,
    IMAGES,
    KERNEL,
    KERNELS,
    MANY,
    MATRIX,
    SYMMETRIC,
    TALL,
    TYPE,
    VECTOR,
    WIDE,
    say,
)  # fmt: skip

torch.set_default_dtype(getattr(torch, TYPE))
function_of, linalg = torch.nn.functional, torch.linalg
MAPS = (
    "atan acosh asinh cos cosh digamma erf erfc exp exp2 expm1 lgamma log log10 log1p log2 "
    "reciprocal rsqrt sigmoid sin sinc sinh sqrt square tan tanh i0"
)


def run(name, function, *values):
    results = function(*[torch.from_numpy(value) for value in values])
    results = results if isinstance(results, (list, tuple)) else [results]
    say(name, *[each.detach().resolve_conj().numpy() for each in results])


def slopes(function):
    def sloped(*values):
        values = [value.clone().requires_grad_() for value in values]
        (function(*values) ** 3).sum().backward()
        return [value.grad for value in values]

    return sloped


def channels_first(array):
    return torch.from_numpy(array).movedim(-1, 1).contiguous()


for name in MAPS.split():
    run(name, getattr(torch, name), VECTOR + (name == "acosh"))
for name in ("acos", "asin", "atanh", "erfinv", "logit"):
    run(name, getattr(torch, name), FRACTIONS)
run("atan2", torch.atan2, VECTOR, FRACTIONS)
for power in (0.5, -0.5, 1.7):
    run(f"power {power}", lambda v, power=power: v**power, VECTOR)
run("division", lambda a, b: a / (b + 1), VECTOR, FRACTIONS)
run("addcdiv", torch.addcdiv, VECTOR, FRACTIONS, VECTOR)
for name in ["gelu", "silu", "softplus", "elu", "selu", "mish", "hardswish", "logsigmoid", "celu"]:
    run(name, getattr(function_of, name), MATRIX - 1.5)
    run(f"{name} slopes", slopes(getattr(function_of, name)), MATRIX - 1.5)
for name in ("softmax", "log_softmax", "logsumexp"):
    run(name, lambda a, name=name: getattr(torch, name)(a, -1), MATRIX)
for name in ["sum", "mean", "std", "prod", "norm"]:
    function = getattr(torch, name)
    run(name, function, VECTOR)
    for axis in (0, 1):
        run(f"{name} {axis}", lambda v, f=function, axis=axis: f(v, dim=axis), MATRIX)
run("sum big", torch.sum, BIG)
run("cumsum", lambda v: v.cumsum(0), VECTOR)
for name, value in {
    "small": MATRIX[:8, :8], "matrix": MATRIX, "big": BIG, "wide": WIDE, "tall": TALL,
}.items():  # fmt: skip
    run(f"product {name}", lambda a: a @ a.T, value)
for half in (torch.bfloat16, torch.float16):
    run(f"product {half}", lambda a, t=half: (a.to(t) @ a.T.to(t)).float(), BIG)
run("matrix vector", lambda a: a @ a[0], BIG)
run("dot", lambda a: torch.dot(a, a), VECTOR)
run("batched", lambda a: a.view(8, 32, 512) @ a.view(8, 512, 32), BIG)
for name, images, kernel in (("", IMAGES, KERNEL), (" many", MANY, KERNELS)):
    pair = channels_first(images).numpy(), kernel.transpose(3, 2, 0, 1).copy()
    for stride in (1, 2):
        function = lambda a, b, stride=stride: torch.conv2d(a, b, stride=stride)  # noqa: E731
        run(f"convolution{name} {stride}", function, *pair)
        run(f"convolution{name} {stride} slopes", slopes(function), *pair)
    run(f"transposed{name}", torch.conv_transpose2d, pair[0], pair[1].transpose(1, 0, 2, 3).copy())
for name in ("inv", "cholesky", "svdvals", "eigvalsh", "det"):
    run(name, getattr(linalg, name), SYMMETRIC)
run("qr", lambda a: linalg.qr(a)[1], SYMMETRIC)
run("solve", lambda a: linalg.solve(a, a[:, :3]), SYMMETRIC)
run("lstsq", lambda a: linalg.lstsq(a, a[:, :2]).solution, SYMMETRIC)
run("transform", torch.fft.rfft, MATRIX)
run("average pool", lambda a: torch.avg_pool1d(a, 3), IMAGES.reshape(4, 16, 128))
run("layer norm", lambda a: torch.layer_norm(a, (100,)), MATRIX)
run("group norm", lambda a: torch.group_norm(a, 2), IMAGES)
run("attention", lambda a: function_of.scaled_dot_product_attention(a, a, a), IMAGES)
run("logit eps", lambda v: torch.logit(v, 1e-6), FRACTIONS)
run("cdist", torch.cdist, MATRIX, MATRIX)
run("index add", lambda a: torch.zeros(7, 100).index_add(0, torch.arange(50) % 7, a), MATRIX)
run("complex", lambda a: torch.exp(torch.complex(a, a)) @ torch.complex(a, a).T, MATRIX)
for cell in (torch.nn.LSTM(8, 16), torch.nn.GRU(8, 16)):
    run(type(cell).__name__, lambda a, cell=cell: cell(a)[0], IMAGES[0])
for name in ["normal_", "exponential_", "cauchy_", "log_normal_", "geometric_"]:
    extra = (0.3,) if name == "geometric_" else ()
    run(f"draw {name}", lambda a, name=name, extra=extra: getattr(a.clone(), name)(*extra), VECTOR)
for name in ("_standard_gamma", "poisson", "bernoulli", "_sample_dirichlet"):
    run(f"draw {name}", getattr(torch, name), FRACTIONS)
