"""Determinism flags in force in processes that use CUDA, and in their children."""

from __future__ import annotations

from tests.image.gpu.conftest import Run, last


def test_every_process_has_them(run: Run, device: str) -> None:
    """A process, a program that it starts and a spawned child compute under every flag, and
    nothing that ran has changed one."""
    said = last(run("flags"))

    for name in ("parent", "program", "spawned"):
        flags = said[name]
        assert flags["strict"] and flags["deterministic"], name
        assert flags["cudnn"] == [True, False], name
        assert flags["started"] is (device == "cuda"), name
        assert flags["environment"]["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8", name
        assert flags["environment"]["NCCL_ALGO"] == "Ring", name
    if "jax" in said["libraries"]:
        assert said["xla"] == "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0"
    assert said.get("op_determinism", True) is True
    assert "torch" in said["libraries"]
    assert {name: each for name, each in said["overridden"].items() if each} == {}
