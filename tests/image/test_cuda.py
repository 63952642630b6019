"""The image with CUDA on a machine without a GPU: `make test-image-gpu`; gpu/ needs one."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.image import engine
from tests.image.test_layout import inspect

if TYPE_CHECKING:
    from collections.abc import Callable

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
