"""Run containers and fail where a person would stop: at a wrong exit status, at a warning."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from tests.image.engine import IMAGE, client

PROBLEM = re.compile(
    r"""
      ^\W*(WARNING|WARN|ERROR|CRITICAL|FATAL)\b           # pip, logging's default format
    | [\s\[](WARNING|ERROR|CRITICAL|FATAL)(:\s|\]|\s|$)   # behind a time or a logger's name
    | ^[WEF]\d{4}\ \d\d:\d\d:\d\d                        # absl, glog
    """,
    re.VERBOSE,
)
"""A line of a log at level warning or above."""


@dataclass(frozen=True)
class Finished:
    """What a container left."""

    status: int
    stdout: str
    stderr: str

    def digest(self) -> str:
        """Return the value of the last line, `digest <hex>`."""
        word, value = self.stdout.splitlines()[-1].split()
        assert word == "digest" and re.fullmatch(r"[0-9a-f]{16,}", value)
        return value


@dataclass(frozen=True)
class TrackedContainer:
    """How to start containers of one image; each start fails the test on anything untoward.

    Attributes:
        image: image that is run.
        options: words for docker run, in front of the image.
        harmless: lines of the log that this kind of run may show, whole or in part.
    """

    image: str = IMAGE
    options: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()

    def allowing(self, *lines: str) -> TrackedContainer:
        """Return the same, with further lines that a log may show."""
        return TrackedContainer(self.image, self.options, (*self.harmless, *lines))

    def using(self, *options: str) -> TrackedContainer:
        """Return the same, with further words for docker run."""
        return TrackedContainer(self.image, (*self.options, *options), self.harmless)

    def seeded(self, seed: int | str, **environment: str) -> TrackedContainer:
        """Return the same under a seed, with further variables."""
        return self.using(
            f"--env=REPRO_SEED={seed}",
            *(f"--env={name}={value}" for name, value in environment.items()),
        )

    def run(self, *command: str, status: int = 0, stdin: str = "") -> Finished:
        """Run `command` in a new container and return what it left.

        Args:
            command: words after the image; none for the image's own command.
            status: exit status that the container has to end with.
            stdin: what the command reads.
        """
        # No network: a test that passes by downloading something would be another test in CI.
        words = [client(), "run", "--rm", "--interactive", "--network=none", *self.options]
        finished = subprocess.run(
            [*words, self.image, *command], input=stdin, capture_output=True, text=True, check=False
        )
        told = f"\n--- stdout\n{finished.stdout}\n--- stderr\n{finished.stderr}"
        assert finished.returncode == status, f"exit status {finished.returncode}{told}"
        problems = self.problems(finished.stdout + "\n" + finished.stderr)
        assert problems == [], f"warnings in the log: {problems}{told}"
        return Finished(finished.returncode, finished.stdout, finished.stderr)

    def problems(self, log: str) -> list[str]:
        """Return the lines of a log that a person would have to look at."""
        return [
            line
            for line in log.splitlines()
            if PROBLEM.search(line) and not any(allowed in line for allowed in self.harmless)
        ]
