"""`submission.toml`: what it says, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from seedlock.errors import BadSubmission
from seedlock.evaluation.recording.metrics import Metric
from seedlock.evaluation.submission.submission_file import NAME, SAMPLE, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the sample and the files that it names."""
    (tmp_path / NAME).write_text(SAMPLE)
    (tmp_path / "Dockerfile").write_text("FROM conference/repro-base\n")
    (tmp_path / "data.lock").write_text("version = 1\n")
    return tmp_path


def test_the_sample(folder: Path) -> None:
    """The one that documents and errors show is allowed, and says what its comments say."""
    found = read(folder)

    assert found.name == "my-method"
    assert found.command == ("python", "train.py", "--out", "{output}")
    assert found.visibility == "private"
    assert found.dockerfile == folder / "Dockerfile" and found.image is None
    assert found.data == folder / "data.lock"
    assert found.metrics == (Metric("accuracy", "max", ""),)
    assert found.limits["memory"] == "8g"


def test_little_is_enough(folder: Path) -> None:
    """An image by name, no data, no limits."""
    (folder / NAME).write_text(
        'name = "x"\ncommand = ["true"]\nvisibility = "public"\n[image]\nname = "a/b:1"\n'
        '[metrics.loss]\ndirection = "min"\n'
    )

    found = read(folder)

    assert (found.image, found.dockerfile, found.data, found.limits) == ("a/b:1", None, None, {})


def test_a_signing_key_may_be_named(folder: Path) -> None:
    """For rounds that authors train; as `seedlock sign --new-key` prints it, and nothing else."""
    key = f"ed25519:{'A' * 43}="
    assert read(folder).signing_key is None
    (folder / NAME).write_text(f'signing_key = "{key}"\n{SAMPLE}')
    assert read(folder).signing_key == key

    for other in ('"ed25519:A="', '"ssh-ed25519 AAAA"', "7", f'"{key} "', "[]"):
        (folder / NAME).write_text(f"signing_key = {other}\n{SAMPLE}")
        with pytest.raises(BadSubmission, match="signing_key is "):
            read(folder)


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('name = "my-method"', 'name = "../evil"', "name is '../evil'"),
        ('name = "my-method"', "", "name is missing"),
        ('visibility = "private"', 'visibility = "secret"', "public or private"),
        ('visibility = "private"', "", "visibility is missing"),
        ('command = ["python"', 'command = [1, "python"', "a list of words"),
        ('data = "data.lock"', 'data = "../data.lock"', "below the submission's folder"),
        ('data = "data.lock"', 'data = "/etc/passwd"', "below the submission's folder"),
        ('data = "data.lock"', 'data = "missing"', "that is there"),
        ('data = "data.lock"', 'dta = "data.lock"', "dta is 'there'"),
        ('dockerfile = "Dockerfile"', 'name = "--privileged"', "an image's name"),
        ('dockerfile = "Dockerfile"', 'dockerfile = "a"\nname = "b"', "either dockerfile"),
        ('direction = "max"', 'direction = "up"', "max or min"),
        ('direction = "max"', 'drection = "max"', "drection"),
        ("[metrics.accuracy]", "[metrics]\naccuracy = 1\n[x]", "x is 'there'"),
        ('memory = "8g"', 'memory = ["8g"]', "limits.memory"),
        ("[image]", "[image", "is not TOML"),
        ('memory = "8g"', f"memory = {'1' * 5000}", "is not TOML"),
        ('memory = "8g"', f"memory = 0x{'f' * 5000}", "is not TOML"),
        ('visibility = "private"', f"visibility = [0x{'f' * 5000}]", "is not TOML"),
        ('data = "data.lock"', f'data = "{"a" * 5000}"', "can't be read"),
    ],
)
def test_what_is_refused(folder: Path, line: str, instead: str, said: str) -> None:
    """One line with what is wrong, given and allowed."""
    assert line in SAMPLE
    (folder / NAME).write_text(SAMPLE.replace(line, instead, 1))

    with pytest.raises(BadSubmission) as refused:
        read(folder)

    assert said in str(refused.value)
    assert "allowed: " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_link_that_leads_out_is_refused(folder: Path) -> None:
    """The file would be another on the conference's machine, or somebody else's."""
    (folder / "data.lock").unlink()
    (folder / "data.lock").symlink_to("/etc/hostname")

    with pytest.raises(BadSubmission, match="leads out"):
        read(folder)


def test_no_file(tmp_path: Path) -> None:
    """The error says what belongs there."""
    with pytest.raises(BadSubmission, match="No such file"):
        read(tmp_path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.integers(0, len(SAMPLE)), some.integers(0, 30), some.text(max_size=20))
def test_mutated_files_are_refused_or_fit(folder: Path, at: int, cut: int, more: str) -> None:
    """A clear error, never a traceback of another kind."""
    text = SAMPLE[:at] + more + SAMPLE[at + cut :]
    (folder / NAME).write_bytes(text.encode("utf-8", "surrogatepass"))

    try:
        read(folder)
    except BadSubmission as problem:
        assert "allowed: " in str(problem)


def test_the_document_has_the_sample() -> None:
    """So that what authors copy is what a test reads."""
    assert SAMPLE in (Path(__file__).parents[3] / "docs" / "submission.md").read_text()
