"""Traces of what a GPU computes: backward passes, steps, digests of what lies there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seedlock
from tests.image.gpu.conftest import PROGRAMS, Run, last

RACES = {"gather": "aten.scatter_add", "index_select": "aten.index_add"}
"""What is called forward, and how the name of the operation begins that races backward."""


def line_of(text: str, program: str) -> str:
    """Return `file:line` of the first line of a program that holds a text."""
    file = PROGRAMS / f"{program}.py"
    lines = enumerate(file.read_text().splitlines(), 1)
    return next(f"{file}:{number}" for number, line in lines if text in line)


BACKWARD = line_of("loss.backward()", "racing")
Pair = Callable[..., "list[Path]"]


@pytest.fixture(name="pair")
def pair_fixture(run: Run, tmp_path: Path) -> Pair:
    """Run a program twice with a trace; return the folders of the reports."""

    def pair(program: str, *words: str, mode: str, **variables: str) -> list[Path]:
        folders = [tmp_path / "one", tmp_path / "other"]
        for folder in folders:
            traced = {"REPRO_REPORT": str(folder), "REPRO_TRACE": mode, **variables}
            run(program, *words, REPRO_ENTROPY="lock", **traced)
        return folders

    return pair


def below_the_header(folder: Path) -> dict[str, list[str]]:
    """Return the lines of each process's trace, by its place."""
    found = {}
    for file in folder.glob("*.trace.jsonl"):
        header, *lines = file.read_text().splitlines()
        found[json.loads(header)["place"]] = lines
    return found


def operations(folder: Path) -> list[dict[str, Any]]:
    """Return the first process's operations up to its first step."""
    events = [json.loads(line) for line in below_the_header(folder)[""]]
    return [each for each in events if each["kind"] == "op" and each["step"] == 0]


def gaps(folder: Path) -> list[str]:
    """Return what all reports say that the traces leave out."""
    found = [json.loads(file.read_text())["gaps"] for file in folder.glob("*.json")]
    return [gap for each in found for gap in each if "leaves out" in gap]


def difference(*folders: Path) -> dict[str, Any]:
    """Return what `seedlock diff` says."""
    command = [sys.executable, "-m", "seedlock", "diff", "--json", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("forward", RACES)
def test_a_race_in_a_backward_pass_is_named(pair: Pair, device: str, forward: str) -> None:
    """At level seed two runs compute alike up to the race, which `seedlock diff` names, with the
    line that called `backward`."""
    folders = pair("racing", forward, mode="op", REPRO_LEVEL="seed")
    first, again = (operations(folder) for folder in folders)
    names = [each["op"] for each in first if each["at"] == BACKWARD]
    racing = [name for name in names if name.startswith(RACES[forward])]

    assert racing, f"no {RACES[forward]} among {names}"
    assert [each["op"] for each in again] == [each["op"] for each in first]
    race = [each["op"] for each in first].index(racing[0])
    assert first[:race] == again[:race]
    assert "aten.mean.default" in [each["op"] for each in first[:race]]
    assert gaps(folders[0]) == []
    found = difference(*folders)["divergence"]
    if device == "cuda":
        assert (found["op"], found["at"]) == (racing[0], BACKWARD)
    else:
        assert found is None


@pytest.mark.parametrize("forward", RACES)
def test_traces_of_operations_are_equal_at_level_strict(
    pair: Pair, device: str, forward: str
) -> None:
    """Below the header, byte for byte, with the backward pass in them and nothing left out."""
    folders = pair("racing", forward, mode="op")
    one, other = map(below_the_header, folders)

    assert one == other
    assert [each for each in operations(folders[0]) if each["at"] == BACKWARD]
    assert [gap for folder in folders for gap in gaps(folder)] == []
    assert difference(*folders)["verdict"] == "equal"


def test_backward_passes_of_all_kinds(run: Run, pair: Pair, device: str) -> None:
    """Hooks and functions of the author's stand at their own lines, all else at that of the pass,
    what a checkpoint computes again too; a trace changes no bit, and two are equal."""
    plain = run("backward").stdout
    folders = pair("backward", mode="op")
    one, other = map(below_the_header, folders)
    found = {(each["op"], each["at"]) for each in operations(folders[0])}

    assert run("backward", REPRO_TRACE="op", REPRO_REPORT=str(folders[0] / "again")).stdout == plain
    assert one == other
    assert gaps(folders[0]) == []
    assert ("aten.tan.default", line_of("slope.tan()", "backward")) in found
    assert ("aten.atan.default", line_of("slope.atan()", "backward")) in found
    assert ("aten.gelu_backward.default", line_of("make().backward()", "backward")) in found
    assert ("aten.mul.Tensor", line_of("slope * x.grad", "backward")) in found
    assert ("aten.mul.Scalar", line_of("x.square().sum().backward()", "backward")) in found


def test_kept_values_are_what_was_digested(pair: Pair, device: str) -> None:
    """Also those of the backward pass."""
    folder, _ = pair("racing", "gather", mode="op", REPRO_TRACE_STEPS="0:1")
    [file] = folder.glob("*.values")
    values = file.read_bytes()
    found = [each for each in operations(folder) if each["at"] == BACKWARD and "kept" in each]

    assert found
    for each in found:
        [[offset, size]] = each["kept"]
        kind, shape = each["what"].rstrip("]").split("[")
        array = np.frombuffer(values[offset : offset + size], kind)
        array = array.reshape([int(length) for length in shape.split(",") if length])
        assert seedlock.digest(array).partition(":")[2] == each["digest"]


def test_traces_of_steps_are_equal(pair: Pair, device: str) -> None:
    """A whole training: batches, parameters, losses and the generators' states, those of the
    device among them."""
    folders = pair("train_torch", mode="step")
    one, other = map(below_the_header, folders)
    steps = [each for each in map(json.loads, one[""]) if each["kind"] == "step"]

    assert one == other
    assert len(steps) == 24
    assert len({each["digest"] for each in steps}) == 24
    assert all("torch" in each["rng"] and "loss" in each for each in steps)


def test_digests_do_not_depend_on_where_a_tensor_lies(run: Run, device: str) -> None:
    """On the device, copied to the CPU and as a NumPy array, of all kinds and layouts."""
    seen = last(run("digests"))

    assert {name: each for name, each in seen.items() if len(set(each.values())) > 1} == {}
    assert len({each["device"] for each in seen.values()}) == len(seen)
