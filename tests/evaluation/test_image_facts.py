"""image_facts.py: how an image is read; tests/image/test_manifest.py reads real ones."""

from __future__ import annotations

from seedlock.evaluation.image_facts import reading


def test_how_an_image_is_read() -> None:
    """No network, nothing that can be written, no right but to read, and by its id."""
    assert reading("docker", "sha256:1", "/opt/repro/constraints.txt") == [
        "docker", "run", "--rm", "--interactive", "--network", "none", "--read-only",
        "--user", "0", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE",
        "--security-opt", "no-new-privileges", "--entrypoint", "/usr/bin/python3",
        "sha256:1", "-I", "-S", "-B", "-", "/opt/repro/constraints.txt",
    ]  # fmt: skip
