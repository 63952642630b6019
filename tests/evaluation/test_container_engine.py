"""container_engine.py: what a container gets; tests/image/test_verify.py has real ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seedlock.evaluation import container_engine

IMAGE = container_engine.Image("docker", "image", "sha256:1", "1000")


def test_what_a_container_gets() -> None:
    """The variables, the folders, no network, the image by its id, and no other variable of
    ours."""
    command = container_engine.start(
        IMAGE, "name", {"REPRO_SEED": "7"}, {Path('/a,"b"'): "/output"}, ["python", "x.py"],
        [container_engine.Mount(Path("/code"), "/submission")],
    )  # fmt: skip

    assert command == [
        "docker", "run", "--rm", "--shm-size", "2g", "--name", "name", "--user", "1000",
        "--security-opt", "no-new-privileges",
        "--hostname", "seedlock", "--add-host", "seedlock:127.0.0.1",
        "--network", "none", "-e", "REPRO_SEED=7",
        "--mount", 'type=bind,"source=/a,""b""","target=/output"',
        "--mount", 'type=bind,"source=/code","target=/submission",readonly',
        "sha256:1", "python", "x.py",
    ]  # fmt: skip
    with_network = container_engine.start(IMAGE, "name", {}, {}, [], network=True)
    assert with_network[with_network.index("--network") + 1] == "bridge"


@pytest.mark.parametrize(
    ("images", "ids", "user"),
    [
        ("1000", (12345, 54321), "12345:54321"),
        ("", (12345, 54321), "12345:54321"),
        ("1000", (0, 0), "1000"),
        ("1000:100", (0, 0), "1000:100"),
        ("", (0, 0), "65534:65534"),
        ("0", (0, 0), "65534:65534"),
        ("0:0", (0, 0), "65534:65534"),
        ("root", (0, 0), "65534:65534"),
        ("author", (0, 0), "65534:65534"),
    ],
)
def test_a_container_is_never_roots(images: str, ids: tuple[int, int], user: str) -> None:
    """It has the ids of whoever starts it; for root the image's own, or nobody's."""
    assert container_engine.user_of_runs(images, *ids) == user


def test_what_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path here, relative or with a colon, and an absolute one there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").mkdir()

    assert container_engine.mount(".:/submission/") == (tmp_path, "/submission")
    assert container_engine.mount("a:b:/data/x") == (tmp_path / "a:b", "/data/x")


@pytest.mark.parametrize(
    "given",
    ["", ":", ".", ".:", ":/x", ".:x", "none:/x", ".:/", ".://", ".:/output", ".://output",
     ".:/reports/x/..", ".:/x/../output/y", ".:/x:ro"],
)  # fmt: skip
def test_what_is_not_mounted(given: str) -> None:
    """Neither a path that is not there nor one over the run's own folders."""
    with pytest.raises(
        container_engine.EngineError, match=f"^--mount {re.escape(given)}: allowed: "
    ):
        container_engine.mount(given)
