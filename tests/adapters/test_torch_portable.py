"""PyTorch at level portable: operations whose bits are the processor maker's choice elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.probe import locked

PROGRAM = """
import numpy as np, torch

EXACT = {}
for dtype in (torch.float32, torch.float64):
    x = torch.rand(5000, dtype=dtype) * 3
    root = np.sqrt(x.numpy())
    ways = {
        "sqrt": torch.sqrt(x), "out": torch.sqrt(x, out=torch.empty_like(x)),
        "empty out": torch.sqrt(x, out=torch.empty(0, dtype=dtype)),
        "in place": x.clone().sqrt_(), "power": x**0.5, "strided": x.view(50, 100).T.sqrt().T,
        "gradient": None,
    }
    x.requires_grad_()
    torch.sqrt(x).sum().backward()
    ways["gradient"] = 0.5 / x.grad
    for name, way in ways.items():
        near = np.allclose(way.detach().numpy().ravel(), root)
        same = (way.detach().numpy().ravel() == root).all()
        EXACT[f"{name} {dtype}"] = bool(near if name == "gradient" else same)
    part = x.detach() / 4
    clipped = np.clip(part.numpy(), 0.3, 1 - 0.3)
    EXACT[f"logit {dtype}"] = bool(
        (part.logit().numpy() == np.log(part.numpy() / (1 - part.numpy()))).all()
        and (part.logit(0.3).numpy() == np.log(clipped / (1 - clipped))).all()
    )
others = {
    "logit": torch.tensor([0.0, 1.0]).logit_().tolist() == [-np.inf, np.inf],
    "integers": torch.sqrt(torch.tensor([4, 9])).tolist(),
    "half": torch.tensor([4.0], dtype=torch.bfloat16).sqrt().tolist(),
    "complex": torch.tensor([-4 + 0j]).sqrt().imag.tolist(),
    "square": (torch.tensor([3.0]) ** 2).tolist(),
    "negative": outcome(lambda: torch.tensor([-1.0]).sqrt()),
    "in place of integers": outcome(lambda: torch.tensor([4]).sqrt_()),
    "other shape": torch.sqrt(torch.tensor([4.0, 9.0]), out=torch.empty(0)).tolist(),
    "vmap": torch.vmap(torch.sqrt)(torch.tensor([[4.0], [9.0]])).tolist(),
    "meta": torch.sqrt(torch.rand(3, device="meta")).device.type,
}
print(json.dumps({"exact": EXACT, "others": others, "threads": torch.get_num_threads(),
    "environment": in_c("ATEN_CPU_CAPABILITY", "MKL_CBWR", "OMP_NUM_THREADS"),
    "capability": torch.backends.cpu.get_cpu_capability()}))
"""


def test_square_roots_are_the_correctly_rounded_ones(tmp_path: Path) -> None:
    """By every way of taking one; other types and functions are PyTorch's own."""
    run = locked(PROGRAM, tmp_path, REPRO_LEVEL="portable", REPRO_THREADS="3")

    assert all(run.said["exact"].values()), run.said["exact"]
    assert run.said["others"] == {
        "logit": True,
        "integers": [2.0, 3.0],
        "half": [2.0],
        "complex": [2.0],
        "square": [9.0],
        "negative": ["done"],
        "in place of integers": ["RuntimeError"],
        "other shape": [2.0, 3.0],
        "vmap": [[2.0], [3.0]],
        "meta": "meta",
    }
    assert run.said["threads"] == 3
    assert run.said["capability"] == "AVX2"
    assert run.said["environment"] == {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "COMPATIBLE",
        "OMP_NUM_THREADS": "3",
    }
    assert run.errors == ""
    assert not any("makers" in gap for gap in run.library("torch")["gaps"])
    assert run.library("torch")["overridden"] == {}
