"""The examples do what the README says of them."""

from __future__ import annotations

import re

import pytest

from tests.interpreter import REPOSITORY, python

PROGRAMS = sorted((REPOSITORY / "examples").glob("train_*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_no_example_seeds_anything(program: object) -> None:
    """They are programs of authors who never heard of seeds; JAX can't do without a key."""
    text = REPOSITORY.joinpath("examples", str(program)).read_text()
    code = re.sub(r'^""".*?"""', "", text, count=1, flags=re.DOTALL)

    assert "seed" not in code
    assert "determin" not in code


def test_the_demo_shows_equal_bits_under_one_seed_and_others_under_another(demo: str) -> None:
    """Each of the five programs gives the same bits twice under 7 and other bits under 8."""
    assert demo.count("same bits, hears the seed") == len(PROGRAMS) == 5


def test_the_demo_finds_a_program_that_is_not_locked() -> None:
    """Positive control: without the doors (-S in the children's place: an interpreter without
    seedlock) the programs differ, and the demo says so and fails."""
    done = python(
        "-c",
        "import sys; sys.argv = ['demo.py', '--only', 'numpy']; sys.path.insert(0, 'examples')\n"
        "import demo, os\n"
        "run = demo.subprocess.run\n"
        "def unlocked(command, env, **more):\n"
        "    del env['REPRO_SEED']\n"
        "    return run(command, env=env, **more)\n"
        "demo.subprocess.run = unlocked\n"
        "sys.exit(demo.main())",
        check=False,
        cwd=REPOSITORY,
    )

    assert done.status == 1
    assert "DIFFERENT BITS" in done.out
