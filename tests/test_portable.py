"""portable.py and processor.py: threads and instruction sets, fixed from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock import portable
from seedlock.errors import NotPortable
from seedlock.evaluation.divergence import first_divergence
from seedlock.evaluation.traces import Run
from seedlock.processor import X86_64_V3, fields, instruction_sets, lacking
from tests.interpreter import python, reports
from tests.portable.machines import traced

HASWELL = {*X86_64_V3, "sse4_2"}
SKYLAKE = HASWELL | {"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"}


def test_a_processor_of_x86_64_v3_lacks_nothing() -> None:
    """What is missing is named, in a fixed order."""
    assert lacking(HASWELL) == lacking(SKYLAKE) == []
    assert lacking(HASWELL - {"fma", "avx2"}) == ["avx2", "fma"]


def test_another_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that could not give the bits of others does not start."""
    monkeypatch.setattr(portable, "instruction_sets", lambda: {"asimd", "sve"})

    with pytest.raises(NotPortable, match=r"lacks avx, avx2.*x86-64-v3.*#not-portable"):
        portable.refuse_unfit()


@pytest.mark.parametrize(
    ("version", "sets", "features"),
    [
        ((2, 2, 6), HASWELL, ""),
        ((2, 2, 6), SKYLAKE, "AVX512F AVX512CD AVX512_SKX"),
        ((1, 26, 4), SKYLAKE | {"avx512_vnni"}, "AVX512F AVX512CD AVX512_SKX AVX512_CLX"),
        ((2, 4, 0), HASWELL, ""),
        ((2, 4, 0), SKYLAKE, "X86_V4"),
    ],
)
def test_numpy_is_told_only_of_what_the_processor_has(
    version: tuple[int, ...], sets: set[str], features: str
) -> None:
    """NumPy warns of a feature that it can't disable."""
    assert portable.numpy_features(version, sets) == features


def test_numpy_takes_no_kernel_beyond_x86_64_v3(tmp_path: Path) -> None:
    """Without a warning at its import, and with as many threads as asked for on one processor."""
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "import numpy\n"
        "from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__\n"
        "print([name for name in __cpu_dispatch__ if __cpu_features__[name]][-1])\n"
    )
    done = python(
        "-W", "error", "-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(tmp_path),
        REPRO_LEVEL="portable", REPRO_THREADS="3",
    )  # fmt: skip
    (report,) = reports(tmp_path)
    library = report["libraries"]["numpy"]

    assert done.lines == ["AVX2"]
    assert list(library["flags"].values()) == [3]
    assert library["environment"]["OPENBLAS_NUM_THREADS"] == "3"
    assert library["overridden"] == {}
    assert not any("NumPy computes with" in gap for gap in library["gaps"])
    assert portable.GAP.format("numpy") in library["gaps"]
    assert report["settings"]["threads"] == 3


def test_a_change_of_the_number_of_threads_is_in_the_report(tmp_path: Path) -> None:
    """Whoever moves OpenBLAS's threads, as threadpoolctl does, moves the bits."""
    code = (
        "import numpy, ctypes, glob, os\n"
        "(path,) = glob.glob(os.path.dirname(numpy.__file__) + '.libs/*openblas*')\n"
        "ctypes.CDLL(path).scipy_openblas_set_num_threads64_(1)\n"
    )
    python(
        "-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(tmp_path),
        REPRO_LEVEL="portable", REPRO_THREADS="3",
    )  # fmt: skip
    (report,) = reports(tmp_path)

    assert list(report["libraries"]["numpy"]["overridden"].values()) == [{"set": 3, "now": 1}]


def test_scipy_computes_with_as_many_threads(tmp_path: Path) -> None:
    """SciPy brings an OpenBLAS of its own, later than NumPy."""
    code = (
        "import scipy.linalg\nfrom seedlock.portable import held\n"
        "print(sorted(held().values()), len(held()))"
    )
    done = python(
        "-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="portable", REPRO_THREADS="3",
    )  # fmt: skip

    assert done.lines == ["[3, 3] 2"]


def test_threads_that_spin_are_one_by_default(tmp_path: Path) -> None:
    """OpenBLAS's, OpenMP's and PyTorch's in a child too; XLA's threads, which sleep, are four."""
    show = "print([os.environ[name] for name in names], sorted({*held().values()}))"
    code = (
        "import os, subprocess, sys\n"
        "names = ['OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'NPROC']\n"
        "import jax, torch, scipy.linalg\nfrom seedlock.portable import held\n"
        f"{show}\nprint(torch.get_num_threads(), flush=True)\n"
        "if len(sys.argv) < 2: subprocess.run([sys.executable, __file__, 'child'], check=True)\n"
    )
    (tmp_path / "program.py").write_text(code)

    done = python(
        "program.py", cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="portable",
        REPRO_REPORT=str(tmp_path),
    )  # fmt: skip

    assert done.lines == ["['1', '1', '1', '4'] [1]", "1"] * 2
    for report in reports(tmp_path):
        assert report["settings"]["threads"] == 4
        assert report["settings"]["spinning_threads"] == 1


def test_more_threads_than_processors_are_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By affinity or by a container's quota; one thread never is, so NumPy's default is none."""
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "import numpy, random\nfrom seedlock.portable import usable_processors\n"
        "print(usable_processors() <= 1)"
    )
    python(
        "-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="portable",
        REPRO_REPORT=str(tmp_path / "default"),
    )  # fmt: skip
    (default,) = reports(tmp_path / "default")
    done = python(
        "-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="portable", REPRO_THREADS="1024",
        REPRO_REPORT=str(tmp_path),
    )  # fmt: skip
    (report,) = reports(tmp_path)
    monkeypatch.setattr(portable, "usable_processors", lambda: 1.5)

    assert done.lines == ["True"]
    gaps = [gap for library in report["libraries"].values() for gap in library["gaps"]]
    crowded = [gap for gap in gaps if "processors: threads wait" in gap]
    assert [gap.partition(" and")[0] for gap in crowded] == ["numpy computes with 1024 threads"]
    assert not any("threads wait" in gap for gap in default["libraries"]["numpy"]["gaps"])
    assert not any("not compared" in gap for gap in default["libraries"]["python"]["gaps"])
    assert portable.crowding("jax", 1) == []
    assert (
        "jax computes with 2 threads and this process may use 1.5" in portable.crowding("jax", 2)[0]
    )


@pytest.mark.parametrize(("element_type", "threads"), [("float32", "2"), ("float64", "1")])
def test_the_number_of_processors_does_not_show(
    element_type: str, threads: str, tmp_path: Path
) -> None:
    """A model in NumPy has the same bits on one processor as on all of them."""
    runs = [
        traced(
            machine, tmp_path / machine, "train_numpy.py", element_type,
            REPRO_LEVEL="portable", REPRO_THREADS=threads,
        )
        for machine in ("native", "one processor")
    ]  # fmt: skip

    assert runs[0].out == runs[1].out
    assert first_divergence(Run(runs[0].folder), Run(runs[1].folder)) is None


def test_what_holds_at_strict_holds_at_portable(tmp_path: Path) -> None:
    """Folders are listed in order, and the environment of strict is set besides."""
    code = (
        "import os, random\nfor name in 'dbca': open(name, 'w').close()\n"
        "print([each for each in os.listdir() if len(each) == 1])\n"
        "import numpy\nprint(os.environ['OMP_DYNAMIC'])"
    )
    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_LEVEL="portable")

    assert done.lines == ["['a', 'b', 'c', 'd']", "FALSE"]


def test_the_processor_is_read() -> None:
    """On Linux the model and the instruction sets are known."""
    assert instruction_sets()
    assert "model name" in fields() or "Features" in fields()
