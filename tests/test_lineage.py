"""lineage.py: places in the family of processes."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from seedlock.lineage import Family, below, of_worker, place, shared_place, stream_path
from seedlock.settings import PARENT, Settings
from tests.interpreter import python, run

DRAW = (
    "import random, os, json\n"
    "main = [random.random()]\n"
    "own = [random.Random().random()]\n"
    "try:\n"
    "    import numpy\n"
    "    main.append(numpy.random.rand()); own.append(numpy.random.default_rng().random())\n"
    "except ImportError: pass\n"
    "r, w = os.pipe()\n"
    "if os.fork() == 0:\n"
    "    os.write(w, json.dumps([random.random(), random.Random().random()]).encode())\n"
    "    os._exit(0)\n"
    "os.wait()\n"
    "print(json.dumps([main, own, json.loads(os.read(r, 1000))]))\n"
)


def settings(**variables: str) -> Settings:
    """Return the settings of a process with a seed and these variables."""
    return Settings({"REPRO_SEED": "7", **variables})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("", "")),
        ({"_SEEDLOCK_LINEAGE": "0/2"}, ("0/2", "0/2")),
        ({"RANK": "0"}, ("rank.0", "")),
        ({"RANK": "03"}, ("rank.3", "")),
        ({"OMPI_COMM_WORLD_RANK": "2"}, ("rank.2", "")),
        ({"PMIX_RANK": "2"}, ("rank.2", "")),
        ({"PMI_RANK": "2"}, ("rank.2", "")),
        ({"SLURM_PROCID": "2"}, ("rank.2", "")),
        ({"SLURM_PROCID": "0", "RANK": "2"}, ("rank.2", "")),
        ({"RANK": "none"}, ("", "")),
        # Lightning's own launcher, on two machines
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, ("rank.0", "")),
        ({"LOCAL_RANK": "2"}, ("rank.2", "")),
        ({"LOCAL_RANK": "2", "NODE_RANK": "1"}, ("rank.65538", "")),
        ({"LOCAL_RANK": "2", "RANK": "6"}, ("rank.6", "")),
        ({"LOCAL_RANK": "", "NODE_RANK": "1"}, ("", "")),
        ({"NODE_RANK": "1"}, ("", "")),
        # launched by what the process `1` started
        ({"_SEEDLOCK_LINEAGE": "1", PARENT: "5 ", "RANK": "2"}, ("1/rank.2", "1")),
        # a launcher inside a Slurm job
        (
            {"_SEEDLOCK_LINEAGE": "1", PARENT: "5 SLURM_PROCID=0", "SLURM_PROCID": "0",
             "RANK": "2"},
            ("1/rank.2", "1"),
        ),
        # named a rank by a locked launcher
        ({"_SEEDLOCK_LINEAGE": "1/rank.2", PARENT: "5 RANK=2", "RANK": "2"}, ("1/rank.2", "1")),
        # a child of a rank inherits the variable
        ({"_SEEDLOCK_LINEAGE": "rank.2/0", PARENT: "5 RANK=2", "RANK": "2"},
         ("rank.2/0", "rank.2/0")),
        # a rank that replaced itself by exec stays a rank
        ({"_SEEDLOCK_LINEAGE": "rank.2/exec.1", PARENT: "5 RANK=2", "RANK": "2"},
         ("rank.2/exec.1", "exec.1")),
    ],
)  # fmt: skip
def test_place(variables: dict[str, str], expected: tuple[str, str]) -> None:
    """The place of a process, and the place whose main streams it draws from."""
    assert place(settings(**variables)) == expected


def test_below_and_stream_path() -> None:
    """Rank 0 stands where a single process would, and its children where that one's would."""
    assert (below("", "1"), below("1", "0")) == ("1", "1/0")
    assert [stream_path(each) for each in ("", "rank.0", "rank.0/1", "0/rank.0/task.1.2")] == [
        "", "", "1", "0/task.1.2",
    ]  # fmt: skip
    assert stream_path("rank.10/0") == "rank.10/0"
    assert (of_worker("0/pool.1.2"), of_worker("pool.1.2/0"), of_worker("")) == (True, False, False)


def test_a_family_hands_places_out_in_order() -> None:
    """Children, jobs, pools, ranks and programs, counted anew in each place."""
    gaps: list[str] = []
    family = Family(gaps.append)

    assert [family.child(), family.child(), family.job(), family.job()] == [
        "0", "1", "task.0", "task.1",
    ]  # fmt: skip
    first, second = family.pool(), family.pool()
    assert [next(first), next(second), next(first)] == ["pool.0.0", "pool.1.0", "pool.0.1"]
    assert [family.rank(number) for number in "0110"] == [
        "rank.0", "rank.1", "launch.1/rank.1", "launch.1/rank.0",
    ]  # fmt: skip
    assert (family.program(), family.program()) == ("exec.1", "exec.1")
    family.enter("1")
    assert (family.child(), family.job(), family.program()) == ("1/0", "1/task.0", "1/exec.1")
    family.enter("1/exec.1")
    assert family.program() == "1/exec.2"
    assert not gaps


def test_a_child_under_way_keeps_its_place() -> None:
    """What starts on its behalf, as a helper, does not take it from it."""
    family = Family(lambda _: None)
    path = family.child()
    before = family.announce(path, program=False)

    inner = family.announce(family.helper(), program=True)
    assert (family.child(), family.forked()) == ("helper", ("helper", True))
    family.announce(path, program=False)
    family.started(inner)
    assert (family.child(), before) == (path, None)
    family.started(before)
    assert family.child() == "1"


def test_places_given_in_several_threads_are_a_gap() -> None:
    """Their order depends on scheduling; a single thread, whichever, is none."""
    gaps: list[str] = []
    family = Family(gaps.append)

    for _ in range(2):
        thread = threading.Thread(target=family.child)
        thread.start()
        thread.join()

    # The second may have the first one's identity; this one has not.
    family.child()
    assert gaps
    assert "depends on scheduling" in gaps[0]


def test_who_came_through_a_shell_is_a_gap() -> None:
    """Unless a launcher numbered its processes."""
    here = {"_SEEDLOCK_LINEAGE": "0", PARENT: f"{os.getppid()} "}
    exec_ = {"_SEEDLOCK_LINEAGE": "0", PARENT: f"{os.getpid()} "}
    elsewhere = {"_SEEDLOCK_LINEAGE": "0", PARENT: "1234567 "}

    assert shared_place(settings()) == shared_place(settings(**here)) == []
    assert shared_place(settings(**exec_)) == shared_place(settings(**elsewhere, RANK="1")) == []
    assert len(shared_place(settings(**elsewhere))) == 1


@pytest.mark.parametrize("variable", ["RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID", "LOCAL_RANK"])
def test_ranks_share_main_streams_and_nothing_else(variable: str) -> None:
    """Main streams are equal; generators without a seed and children differ; rank 0 is a single
    process."""
    single = python("-c", DRAW, REPRO_SEED="7").json()
    first, second = (
        run(["env", f"{variable}={rank}", sys.executable, "-c", DRAW], REPRO_SEED="7").json()
        for rank in "01"
    )

    assert first == single
    assert second[0] == single[0]
    assert not {*second[1], *second[2]} & {*single[1], *single[2]}


def test_a_launcher_in_python_makes_ranks() -> None:
    """Its processes are ranks, their children are not, though they inherit the variable; one
    that is launched again draws anew."""
    code = (
        "import os, subprocess, sys\n"
        f"DRAW = {DRAW!r}\n"
        "def launch(rank, code=DRAW):\n"
        "    subprocess.run([sys.executable, '-c', code], env={**os.environ, 'RANK': rank})\n"
        "launch('0'); launch('1'); launch('1')\n"
        "launch('2', 'import subprocess, sys; subprocess.run([sys.executable, \"-c\", "
        "\"import seedlock; print(seedlock.report()[\\'process\\'][\\'lineage\\'])\"])')\n"
    )
    first, second, again, child = python("-c", code, REPRO_SEED="7").lines
    single = python("-c", DRAW, REPRO_SEED="7").lines[0]

    assert first == single
    assert second.split("]")[0] == single.split("]")[0]
    assert second.split("]")[1] != single.split("]")[1]
    assert again.split("]")[0] != single.split("]")[0]
    assert child == "rank.2/0"


def test_a_rank_variable_that_a_program_sets_for_itself_makes_no_ranks() -> None:
    """os.environ["RANK"] = "0", as a single process does for torch.distributed: what it starts
    are its children."""
    code = (
        "import os, subprocess, sys\n"
        "os.environ['RANK'] = '0'\n"
        "for _ in range(2):\n"
        "    subprocess.run([sys.executable, '-c', "
        '\'import random, seedlock; print(seedlock.report()["process"]["lineage"])\'])'
    )
    assert python("-c", code, REPRO_SEED="7").lines == ["0", "1"]
