"""driver.py: an old driver ends a run before user code, a machine without a GPU is a gap.

NVML's answers come from a library of this test's own, since no driver can be had here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interpreter import python, run
from tests.nvml import build
from tests.test_bad_input import CODE, ENTRYPOINT, STARTED, assert_refused

LEAST = "525.60.13"
GAPS = "import json, seedlock; print(json.dumps(seedlock.report()['gaps']))"
ASK: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_LEAST_DRIVER": LEAST}

Nvml = Callable[..., dict[str, Any]]


@pytest.fixture(name="nvml")
def _nvml(tmp_path: Path) -> Nvml:
    """A maker of variables under which NVML answers as told."""

    def make(driver: str, count: int = 1, init: int = 0) -> dict[str, Any]:
        folder = tmp_path / f"nvml-{driver}-{count}-{init}"
        folder.mkdir()
        macros = (f'DRIVER="{driver}"', f"COUNT={count}", f"INIT={init}")
        return {**ASK, "LD_LIBRARY_PATH": build(folder, "nvml.c", *macros)}

    return make


def test_an_old_driver_is_refused_alike_by_every_way_in(
    nvml: Nvml, door_of_sitecustomize: str, tmp_path: Path
) -> None:
    """The entrypoint, both doors and `seedlock run` print one equal line and start nothing."""
    variables = nvml("520.61.05")
    unseeded = {name: value for name, value in variables.items() if name != "REPRO_SEED"}
    seedlock = str(Path(sys.executable).parent / "seedlock")

    ways = {
        "entrypoint": run(
            [ENTRYPOINT, "sh", "-c", f"echo {STARTED}"],
            check=False, **variables, PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin",
        ),
        "pth": python("-c", CODE, check=False, **variables),
        "sitecustomize": python(
            "-c", CODE, executable=door_of_sitecustomize, check=False, **variables
        ),
        "seedlock run": run(
            [seedlock, "run", "--seed=7", "--", "echo", STARTED], check=False, **unseeded
        ),
    }  # fmt: skip

    for way, done in ways.items():
        assert_refused(done, "old-driver", way)
    assert len({done.err for done in ways.values()}) == 1, ways
    assert f"the NVIDIA driver is 520.61.05; this image's CUDA needs {LEAST} or later" in done.err


@pytest.mark.parametrize("level", ["seed", "warn", "strict", "watch"])
def test_an_old_driver_is_refused_at_every_level(nvml: Nvml, level: str) -> None:
    """No level makes an old driver good enough."""
    done = python("-c", CODE, check=False, **nvml("525.60.12"), REPRO_LEVEL=level)

    assert_refused(done, "old-driver")


def test_an_old_driver_may_pass_with_a_gap(nvml: Nvml) -> None:
    """REPRO_LOCK=warn lets it pass, and the report says so."""
    done = python("-c", GAPS, **nvml("450.80.02"), REPRO_LOCK="warn")

    assert any("the NVIDIA driver is 450.80.02" in gap for gap in done.json())
    assert done.err == ""


@pytest.mark.parametrize("driver", [LEAST, "525.105.17", "535.54.03", "580.65.06", "1000.1"])
def test_a_newer_driver_is_no_matter(nvml: Nvml, driver: str) -> None:
    """Versions are compared as numbers; the least one itself is good, and no gap is noted."""
    assert python("-c", GAPS, **nvml(driver)).json() == python("-c", GAPS, REPRO_SEED="7").json()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        pytest.param({"count": 0}, "NVML sees no device", id="no device"),
        pytest.param(
            {"init": 18},
            "NVML's nvmlInit_v2 answers 18, Driver/library version mismatch",
            id="a driver that does not answer",
        ),
    ],
)
def test_a_driver_without_a_gpu_is_a_gap(nvml: Nvml, answers: dict[str, int], reason: str) -> None:
    """NVML's reason is in the report, and nothing on stderr: even if the driver is old."""
    done = python("-c", GAPS, **nvml("450.80.02", **answers))

    expected = f"no GPU ({reason}): this image is for CUDA and runs on the CPU here"
    assert [gap for gap in done.json() if "GPU" in gap] == [expected]
    assert done.err == ""


CHILD = """
import json, os, subprocess, sys
print(len(os.listdir("/proc/self/task")), "ctypes" in sys.modules, flush=True)
os.environ["LD_LIBRARY_PATH"] = sys.argv[1]
os.environ.update(json.loads(sys.argv[2]))
sys.exit(subprocess.run([sys.executable, "-c", "print('ran')"]).returncode)
"""
"""Says what asking has left in the process, and starts another one that would get other answers."""


def test_who_is_below_does_not_ask_again(nvml: Nvml) -> None:
    """A child takes its parent's word for it, on this machine since its start and for any bound;
    NVML's threads are left in neither."""
    older = nvml("450.80.02")["LD_LIBRARY_PATH"]

    same = python("-c", CHILD, older, "{}", **nvml("580.65.06"))
    elsewhere = python(
        "-c", CHILD, older, '{"_SEEDLOCK_DRIVER": "other 580.65.06"}', check=False,
        **nvml("580.65.07"),
    )  # fmt: skip
    bound = python(
        "-c", CHILD, older, '{"REPRO_LEAST_DRIVER": "900.1"}', check=False, **nvml("580.65.08")
    )

    assert same.out == "1 False\nran\n"
    assert (elsewhere.status, elsewhere.out) == (78, "1 False\n")
    assert "the NVIDIA driver is 450.80.02" in elsewhere.err
    assert (bound.status, bound.out) == (78, "1 False\n")
    assert "the NVIDIA driver is 580.65.08" in bound.err


def test_a_library_that_crashes_is_no_gpu(nvml: Nvml) -> None:
    """What NVML does to the process that asks it is not done to the run."""
    done = python("-c", GAPS, **nvml("580.65.06", init=-1))

    assert any("no GPU (NVML ended the process that asked it)" in gap for gap in done.json())


def test_a_machine_without_nvml_is_a_gap(tmp_path: Path) -> None:
    """Without NVML the run goes on, the written report says so, and stderr says nothing."""
    done = python(
        "-c",
        "print('ran')",
        **ASK,
        REPRO_REPORT=str(tmp_path),
        LD_LIBRARY_PATH=str(_shadow(tmp_path)),
    )

    assert (done.out, done.err) == ("ran\n", "")
    report = json.loads(next(tmp_path.glob("*.json")).read_text())
    [gap] = [gap for gap in report["gaps"] if "no GPU" in gap]
    assert "libnvidia-ml.so.1" in gap
    assert report["settings"]["least_driver"] == LEAST


def _shadow(folder: Path) -> Path:
    # Should this machine have a GPU: a library of that name that is none hides its NVML.
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "libnvidia-ml.so.1").write_text("no library")
    return hidden


def test_unset_asks_nothing() -> None:
    """Without the variable neither seedlock's module nor ctypes is loaded: no price for others."""
    loaded = "import sys; print(sorted({'ctypes', 'seedlock.driver'} & {*sys.modules}))"

    assert python("-c", loaded, REPRO_SEED="7").json() == []


def test_mxnet_says_that_it_stays_on_the_cpu() -> None:
    """In an image for CUDA the build without CUDA is a gap, and elsewhere it is none."""
    code = (
        "import json, mxnet, seedlock; "
        "print(json.dumps(seedlock.report()['libraries']['mxnet']['gaps']))"
    )

    in_image = python("-c", code, **ASK).json()

    [gap] = [gap for gap in in_image if "runs on the CPU in this image" in gap]
    assert [each for each in in_image if each != gap] == python("-c", code, REPRO_SEED="7").json()
