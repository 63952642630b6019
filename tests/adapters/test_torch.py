"""The torch adapter, in real processes: no GPU is needed to set PyTorch's CUDA flags and to read
them back."""

from __future__ import annotations

from tests.adapters.probe import Run, deaf, same_draws

PROGRAM = """
import torch
from torch.utils.data import DataLoader

backends = torch.backends
matmul = backends.cuda.matmul
early = sorted({"torch._inductor.config", "torch._dynamo"} & set(sys.modules))
draws = {
    "rand": torch.rand(3).tolist(),
    "randn": torch.randn(3).tolist(),
    "randint": torch.randint(2**31, (5,)).tolist(),
    "randperm": torch.randperm(20).tolist(),
    "multinomial": torch.multinomial(torch.ones(20), 10).tolist(),
    "in place": torch.empty(3).normal_().tolist(),
    "half": torch.rand(3, dtype=torch.half).tolist(),
    "initial weights": torch.nn.Conv2d(1, 2, 3).weight.flatten().tolist(),
    "dropout": torch.nn.functional.dropout(torch.ones(64)).tolist(),
    "shuffling loader": [int(row) for row in DataLoader(range(20), shuffle=True)],
}
flags = {
    "deterministic": torch.are_deterministic_algorithms_enabled(),
    "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
    "cudnn.deterministic": backends.cudnn.deterministic,
    "cudnn.benchmark": backends.cudnn.benchmark,
    "mkldnn.deterministic": backends.mkldnn.deterministic,
    "fp16 reduction": matmul.allow_fp16_reduced_precision_reduction,
    "bf16 reduction": matmul.allow_bf16_reduced_precision_reduction,
    "fill": torch.utils.deterministic.fill_uninitialized_memory,
    "flash": backends.cuda.flash_sdp_enabled(),
    "memory-efficient": backends.cuda.mem_efficient_sdp_enabled(),
    "cudnn attention": backends.cuda.cudnn_sdp_enabled(),
    "mathematical attention": backends.cuda.math_sdp_enabled(),
}
tf32 = {
    "matmul": matmul.allow_tf32,
    "cudnn": backends.cudnn.allow_tf32,
    "precision": torch.get_float32_matmul_precision(),
}
zero, one = torch.tensor([0, 0]), torch.ones(2)
pooled, places = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1, dtype=torch.int64)
operations = {
    "put_": outcome(lambda: torch.zeros(4).put_(zero, one)),
    "max_unpool2d": outcome(lambda: torch.nn.functional.max_unpool2d(pooled, places, 2)),
    "put_ accumulating": outcome(lambda: torch.zeros(4).put_(zero, one, accumulate=True)),
    "empty": torch.empty(64).isnan().all().item(),
}
import torch._inductor.config
print(json.dumps({
    "draws": draws,
    "flags": flags,
    "tf32": tf32,
    "operations": operations,
    "early": early,
    "inductor": torch._inductor.config.deterministic,
    "environment": in_c(
        "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO", "TORCHINDUCTOR_DETERMINISTIC",
        "FLASH_ATTENTION_DETERMINISTIC", "NVTE_ALLOW_NONDETERMINISTIC_ALGO",
        "MAMBA_DETERMINISTIC", "CAUSAL_CONV1D_DETERMINISTIC", "HOROVOD_FUSION_THRESHOLD",
        "NVIDIA_TF32_OVERRIDE",
    ),
}))
if "UNDO" in os.environ:
    torch.use_deterministic_algorithms(False)
    backends.cudnn.benchmark = True
    backends.mkldnn.deterministic = False
    matmul.allow_tf32 = True
    backends.cudnn.conv.fp32_precision = "tf32"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":0:0"
"""
GIVEN = {
    "warn": {"CUBLAS_WORKSPACE_CONFIG": ":0:0", "NCCL_ALGO": "Tree"},
    "other": {"CUBLAS_WORKSPACE_CONFIG": ":16:8"},
}

LOCKED = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "NCCL_ALGO": "Ring",
    "TORCHINDUCTOR_DETERMINISTIC": "1",
    "FLASH_ATTENTION_DETERMINISTIC": "1",
    "NVTE_ALLOW_NONDETERMINISTIC_ALGO": "0",
    "MAMBA_DETERMINISTIC": "1",
    "CAUSAL_CONV1D_DETERMINISTIC": "1",
    "HOROVOD_FUSION_THRESHOLD": "0",
    "NVIDIA_TF32_OVERRIDE": None,
}
STRICT = {
    "deterministic": True,
    "warn only": False,
    "cudnn.deterministic": True,
    "cudnn.benchmark": False,
    "mkldnn.deterministic": True,
    "fp16 reduction": False,
    "bf16 reduction": False,
    "fill": True,
    "flash": True,
    "memory-efficient": True,
    "cudnn attention": True,
    "mathematical attention": True,
}
WARN = {
    **STRICT,
    "warn only": True,
    "fill": False,
    "flash": False,
    "memory-efficient": False,
    "cudnn attention": False,
}


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """The default generator comes from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Functions, initial weights, dropout and a shuffling loader all hear the outside seed."""
    assert deaf(runs) == []


def test_unlocked_torch_is_deaf_to_the_adapters_flags(runs: dict[str, Run]) -> None:
    """Without a lock none of the flags that the levels set is in force: they are not defaults."""
    flags = runs["unlocked"].said["flags"]

    assert not flags["deterministic"]
    assert not flags["cudnn.deterministic"]
    assert not flags["mkldnn.deterministic"]
    assert flags["fp16 reduction"] and flags["bf16 reduction"]


def test_level_seed_leaves_flags_and_environment_as_they_are(runs: dict[str, Run]) -> None:
    """Level seed sets seeds only."""
    for part in ("flags", "tf32", "environment", "inductor"):
        assert runs["seed"].said[part] == runs["unlocked"].said[part]
    assert set(runs["seed"].said["environment"].values()) == {None}


def test_level_warn_sets_the_warning_form(runs: dict[str, Run]) -> None:
    """Level warn has every switch in its warning form, and attention's fused kernels, whose
    backward would stay nondeterministic, are off."""
    assert runs["warn"].said["flags"] == WARN
    assert runs["warn"].said["environment"] == LOCKED


def test_level_strict_sets_every_flag(runs: dict[str, Run]) -> None:
    """Level strict has every flag in force when PyTorch itself is asked."""
    assert runs["strict"].said["flags"] == STRICT
    assert runs["strict"].said["environment"] == LOCKED


def test_an_operation_without_a_deterministic_form_ends_by_level(runs: dict[str, Run]) -> None:
    """It raises at level strict, warns at level warn, and passes at level seed and unlocked."""
    wanted = {
        "unlocked": ["done"],
        "seed": ["done"],
        "warn": ["done", "UserWarning"],
        "strict": ["RuntimeError"],
    }

    for name, ended in wanted.items():
        assert runs[name].said["operations"]["put_"] == ended
        assert runs[name].said["operations"]["max_unpool2d"] == ended
        assert runs[name].said["operations"]["put_ accumulating"] == ["done"]


def test_uninitialised_memory_is_filled_at_level_strict_only(runs: dict[str, Run]) -> None:
    """What torch.empty returns is NaN at level strict, which costs too much for level warn."""
    assert runs["strict"].said["operations"]["empty"] is True
    assert runs["warn"].said["operations"]["empty"] is False


def test_inductor_is_deterministic_though_the_lock_does_not_import_it(
    runs: dict[str, Run],
) -> None:
    """torch._inductor.config costs 0.3 s, so it waits for whoever imports it, deterministic."""
    for level in ("warn", "strict"):
        assert runs[level].said["early"] == []
        assert runs[level].said["inductor"] is True
    assert runs["unlocked"].said["inductor"] is False


def test_tf32_is_kept_unless_it_is_switched_off(runs: dict[str, Run]) -> None:
    """REPRO_TF32=off switches TensorFloat-32 off in PyTorch and in CUDA's libraries."""
    assert runs["strict"].said["tf32"] == runs["unlocked"].said["tf32"]
    assert runs["unlocked"].said["tf32"]["cudnn"] is True
    assert runs["other"].said["tf32"] == {"matmul": False, "cudnn": False, "precision": "highest"}
    assert runs["other"].said["environment"]["NVIDIA_TF32_OVERRIDE"] == "0"


def test_a_value_of_the_users_is_kept_if_it_is_as_good(runs: dict[str, Run]) -> None:
    """cuBLAS's smaller workspace is deterministic too."""
    assert runs["other"].said["environment"]["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
    assert runs["other"].library("torch")["replaced"] == {}


def test_an_unsuitable_value_of_the_users_is_replaced_and_recorded(runs: dict[str, Run]) -> None:
    """The report keeps the values that stood there before."""
    assert runs["warn"].library("torch")["replaced"] == GIVEN["warn"]
    assert runs["warn"].said["environment"]["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """Flags and variables that changed before the exit are overridden; untouched ones are not.

    PyTorch tells nobody the older of two flags after the newer one was set (2.9 and later).
    """
    assert runs["other"].library("torch")["overridden"] == {
        "deterministic_debug_mode": {"set": 2, "now": 0},
        "cudnn.benchmark": {"set": False, "now": True},
        "mkldnn.deterministic": {"set": True, "now": False},
        "matmul.allow_tf32": {"set": False, "now": True},
        "matmul.fp32_precision": {"set": "ieee", "now": "tf32"},
        "cudnn.allow_tf32": {"set": False, "now": "set by fp32_precision"},
        "cudnn.conv.fp32_precision": {"set": "none", "now": "tf32"},
        "CUBLAS_WORKSPACE_CONFIG": {"set": ":16:8", "now": ":0:0"},
    }
    assert runs["strict"].library("torch")["overridden"] == {}


def test_level_warn_says_what_it_leaves_open(runs: dict[str, Run]) -> None:
    """That an operation only warns is a gap at level warn and none at level strict."""
    gap = "an operation without a deterministic form only warns at level warn"

    assert gap in runs["warn"].library("torch")["gaps"]
    assert gap not in runs["strict"].library("torch")["gaps"]
