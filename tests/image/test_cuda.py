"""The image with CUDA on a machine without a GPU: `make test-image-gpu`; gpu/ needs one."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.image import engine
from tests.image.test_layout import inspect
from tests.nvml import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.image.tracked import TrackedContainer

pytestmark = pytest.mark.recipe("gpu")

SONAMES = (engine.ROOT / "tests" / "image" / "sonames.py").read_text()

ALL_FOUR = """
import json, glob
import torch, tensorflow, keras, jax, mxnet, seedlock
print(torch.rand(1), tensorflow.random.normal([1]), jax.numpy.ones(1) + 1, mxnet.nd.ones(1))
kinds = [each.device_type for each in tensorflow.config.list_physical_devices()]
print(json.dumps({
    "devices": [torch.cuda.device_count(), kinds, str(jax.devices()), mxnet.context.num_gpus()],
    "report": seedlock.report(),
}))
"""

ASKED = """
import ctypes, importlib.util
folder = importlib.util.find_spec("tensorflow").submodule_search_locations[0]
framework = ctypes.CDLL(f"{folder}/libtensorflow_framework.so.2")
status = ctypes.c_uint64()
framework._ZN3tsl8internal9DsoLoader26MaybeTryDlopenGPULibrariesEv(ctypes.byref(status))
print("all found" if status.value == 1 else "not all found")
"""
"""What TensorFlow asks itself before it registers a GPU (xla, tsl/platform/default/dso_loader.cc):
can the libraries of CUDA be opened by name? The C++ function returns an absl::Status, which is the
number 1 where all is well (absl/status/internal/status_internal.h)."""

BY_NAME = """
import json, subprocess, sys
opened = "import ctypes, sys; ctypes.CDLL(sys.argv[1]); print(open('/proc/self/maps').read())"
for soname, path in json.load(sys.stdin):
    done = subprocess.run([sys.executable, "-c", opened, soname], capture_output=True, text=True)
    if path not in done.stdout:
        print(soname, done.stderr.splitlines()[-1:])
"""
"""Opens each library by its name in a process of its own; tells those that are not found there."""

NEEDS_INFINIBAND = "libcufile_rdma.so.1"
"""Needs libmlx5.so.1, which comes with such a device."""

BESIDE = """
import json, seedlock, tensorflow
print(tensorflow.random.normal([1]))
print(json.dumps(seedlock.report()))
"""

WRITTEN = "python -c 'import mxnet' && cat /output/reports/*.json"


def told(container: TrackedContainer) -> tuple[str, dict[str, Any]]:
    """Return stderr and the last line of a process that uses every framework."""
    done = container.seeded(7).run("python", "-W", "ignore", "-c", ALL_FOUR)
    return done.stderr, json.loads(done.stdout.splitlines()[-1])


def test_without_a_gpu_all_four_compute_and_stderr_is_silent(container: TrackedContainer) -> None:
    """Each framework sees no GPU and computes on the CPU; none of them complains."""
    stderr, said = told(container)

    assert stderr == ""
    assert said["devices"] == [0, ["CPU"], "[CpuDevice(id=0)]", 0]


def test_the_missing_gpu_and_mxnets_build_are_gaps(container: TrackedContainer) -> None:
    """The report that a run writes says that there is no GPU, and that MXNet would not use one."""
    seeded = container.seeded(7, REPRO_REPORT="/output/reports")
    done = seeded.run("sh", "-c", WRITTEN)
    report = json.loads(done.stdout)

    assert done.stderr == ""
    assert [gap for gap in report["gaps"] if gap.startswith("no GPU (libnvidia-ml.so.1: ")]
    assert [gap for gap in report["libraries"]["mxnet"]["gaps"] if "runs on the CPU" in gap]
    assert report["machine"]["gpu"]["devices"] == []


def test_nvidias_variables_are_set(image: str) -> None:
    """NVIDIA's container runtime brings in what computing and NVML need; the least driver is that
    of the first CUDA 12."""
    variables = dict(line.split("=", 1) for line in inspect(image)["Config"]["Env"])

    assert variables["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert variables["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"
    assert variables["REPRO_LEAST_DRIVER"] == "525.60.13"


def test_a_least_driver_of_the_authors_own_is_checked(container: TrackedContainer) -> None:
    """The image's variable can be replaced, and a bad one ends the run."""
    refused = container.seeded(7, REPRO_LEAST_DRIVER="new").run("python", "-c", "1", status=78)

    assert refused.stderr.startswith("seedlock: REPRO_LEAST_DRIVER is 'new'; allowed: ")


def test_each_operation_that_this_pytorch_lists_has_a_case(container: TrackedContainer) -> None:
    """The table that gpu/ makes of refused operations is complete for torch 2.10 too."""
    programs = f"--volume={engine.ROOT}/tests/image/gpu/programs:/data:ro"

    assert (
        container.using(programs).run("python", "/data/refused.py", "cpu", "--check").stderr == ""
    )


def test_no_cuda_library_is_there_twice(
    container: TrackedContainer, tell: Callable[[str], None]
) -> None:
    """No soname of NVIDIA's packages belongs to two files of the image."""
    found = json.loads(container.run("python", "-", "/opt", "/usr", stdin=SONAMES).stdout)
    places: dict[str, list[str]] = defaultdict(list)
    for soname, path, _ in found:
        places[soname].append(path)
    cuda = {soname for soname, path, _ in found if "/site-packages/nvidia/" in path}
    size = sum(size for soname, _, size in found if soname in cuda)
    tell(f"{len(cuda)} libraries of NVIDIA's packages, {size / 1e6:.1f} MB")

    assert len(cuda) > 30
    assert {soname: places[soname] for soname in cuda if len(places[soname]) > 1} == {}


def test_tritons_cupti_is_nvidias(container: TrackedContainer) -> None:
    """What Triton looks for in its own folder is there, as links to NVIDIA's package."""
    folder = "/opt/repro/venv/lib/python3.11/site-packages/triton/backends/nvidia/lib/cupti"
    script = f"cd {folder} && for each in *.so*; do readlink -e $each; done"

    targets = container.run("sh", "-c", script).stdout.splitlines()

    assert len(targets) >= 5
    assert all("/nvidia/cuda_cupti/lib/" in target for target in targets)


def test_tensorflow_finds_cudas_libraries_without_another_framework(
    container: TrackedContainer,
) -> None:
    """It opens them by name, and has no search path to all of them; the loader's cache has. Should
    it find them without these folders in the cache, the Dockerfile need not put them there."""
    silent = container.using("--env=TF_ENABLE_ONEDNN_OPTS=0")  # or oneDNN tells that it is there
    emptied = "rm /etc/ld.so.conf.d/repro-cuda.conf && ldconfig -X && exec python -"

    found = silent.run("python", "-", stdin=ASKED).stdout
    without = silent.using("--user=0").run("sh", "-c", emptied, stdin=ASKED).stdout

    assert (found, without) == ("all found\n", "not all found\n")


def test_each_library_of_cuda_is_found_by_its_name(container: TrackedContainer) -> None:
    """All of NVIDIA's packages that TensorFlow, PyTorch and JAX could open by name, without one of
    them loaded. (The loader's cache takes no other names than lib*: ldconfig(8).)"""
    found = json.loads(container.run("python", "-", "/opt", "/usr", stdin=SONAMES).stdout)
    cuda = [
        (soname, path)
        for soname, path, _ in found
        if path.endswith(f"/lib/{soname}") and "/site-packages/nvidia/" in path
        if soname.startswith("lib") and soname != NEEDS_INFINIBAND
    ]

    told = container.run("python", "-c", BY_NAME, stdin=json.dumps(cuda)).stdout

    assert "libcusolver.so.11" in dict(cuda) and len(cuda) > 30
    assert told == ""


def test_tensorflow_that_stays_on_the_cpu_beside_a_gpu_is_a_gap(
    container: TrackedContainer, tmp_path: Path
) -> None:
    """NVML tells of a GPU that TensorFlow, built for CUDA, does not find: here there is none."""
    tmp_path.chmod(0o755)
    told = ("failed call to cuInit", "before absl::InitializeLog()")
    beside = container.using(f"--volume={build(tmp_path, 'nvml_devices.c')}:/nvml:ro")
    seeded = beside.allowing(*told).seeded(7, LD_LIBRARY_PATH="/nvml", COUNT="1")

    report = json.loads(seeded.run("python", "-c", BESIDE).stdout.splitlines()[-1])

    (gap,) = [gap for gap in report["libraries"]["tensorflow"]["gaps"] if "GPU" in gap]
    assert gap.startswith("TensorFlow is built for CUDA and the driver tells 1 GPU(s), but ")
