"""Hold a small round of a conference: three authors check, two hand in, and the board follows.

All of it is done by the commands that an organiser types. The submissions lie in examples/round/;
what is made goes into a folder of its own. Exit status 0: each command ended as it should have;
1: one did not. Which of its seeds the fragile submission fails under is drawn anew each time, and
is no part of that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent / "round"

MARK = ".seedlock-demo"
"""File in a folder that this program made, which it may remove."""

NOTE = """\
What this round does not prove: you were its organiser, its authors and its only witness. It has no
beacon, so you could have tried out secrets; it was frozen before its deadline; and nobody noted a
digest in time. The lines with "if" say so, and the word is CONDITIONAL, status 5, and not PROVEN."""


class Unexpected(Exception):
    """A command ended as it should not have."""


class Demo:
    """A small round in a folder.

    Args:
        folder: absolute path, emptied by `main`.
        example: with policy.toml and submissions/.
    """

    def __init__(self, folder: Path, example: Path) -> None:
        self.folder, self.example = folder, example
        self.round = folder / "round"
        self.page = folder / "page"
        # Programs of submissions say `python`, which is the one that has seedlock.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {**os.environ, "PATH": path}
        self.how = ("--engine", "process", *self._seal())

    def hold(self) -> None:
        """Hold the round from its opening to the page.

        Raises:
            Unexpected: a command ended as it should not have.
        """
        self._say("Three authors check what they want to hand in.")
        for name in ("good", "deaf", "fragile"):
            self._check(name)
        self._say("The organiser opens the round; good and fragile are handed in.")
        self._run("round", "open", "--policy", self.example / "policy.toml", self.round, quiet=True)
        handed_in = [self._hand_in(name) for name in ("good", "fragile")]
        self._run("round", "freeze", "--early", self.round, quiet=True)
        self._run("round", "draw", self.round, quiet=True)
        self._say("Both are trained under each of its seeds, which nobody knew.")
        self._run("evaluate", self.round, *handed_in, *self.how)
        self._failures()
        self._run("round", "reveal", self.round, quiet=True)
        self._say("The board, and the proof:")
        self._run("board", "show", self.round)
        self._run("board", "export", self.round, "-o", self.page, "--records")
        self._run("board", "verify", self.page, expected=(5,))
        print(f"\n{NOTE}")

    def _seal(self) -> tuple[str, ...]:
        """Return the options that seal runs as well as this machine can."""
        from seedlock.errors import NotSealed
        from seedlock.evaluation.evaluating.preparing import prove_seal
        from seedlock.evaluation.rounds import policy_file

        promises = ("memory", "processors")
        try:
            limits = policy_file.read(self.example / "policy.toml").limits
            prove_seal(limits, None, frozenset(promises), self.environ)
        except NotSealed as problem:
            print(f"Runs are not sealed here: {problem}\nThey have all rights of yours instead.")
            return ("--unsealed",)
        print("Runs are sealed by bubblewrap, which limits neither memory nor processor time.")
        return ("--accept", "memory", "--accept", "processors")

    def _check(self, name: str) -> None:
        output = self.folder / "checks" / name
        words = ("check", self.example / "submissions" / name, *self.how, "--output", output)
        result = self._run(*words, "--json", expected=(0, 1), quiet=True)
        said = json.loads(result)
        print(f"{name}: {said['verdict']}")
        for point in said["points"]:
            if point["status"] == "failed":
                print(f"FAIL {point['name']}: {point['said']}\n     cure: {point['cure']}")
        failed = [point["name"] for point in said["points"] if point["status"] == "failed"]
        if name == "good" and failed or name == "deaf" and failed != ["hears the seed"]:
            raise Unexpected(f"the check of {name} failed at: {', '.join(failed) or 'nothing'}")

    def _hand_in(self, name: str) -> Path:
        """Copy a submission to where the organiser keeps it; return its folder."""
        folder = self.round / "submissions" / name
        shutil.copytree(self.example / "submissions" / name, folder)
        if shutil.which("git"):
            # A repository of its own: the one around it ignores all that is made.
            words = ["git", "init", "--quiet", "--template=", str(folder)]
            subprocess.run(words, check=True)
        return folder

    def _failures(self) -> None:
        """Say under which seed indices the runs of a submission failed, and with which words."""
        lines = (self.round / "ledger.jsonl").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        names = {each["submission"]: each["content"]["name"] for each in events
                 if each["kind"] == "added"}  # fmt: skip
        failed = [each for each in events if each["kind"] == "ended"
                  and each["content"]["state"] != "done"]  # fmt: skip
        if not failed:
            print("This time fragile came through under all of its seeds.")
        for each in failed:
            record = self.round / each["content"]["record"]
            printed = record.with_suffix("") / "run" / "stderr.txt"
            last = (printed.read_text().splitlines() or [""])[-1]
            index = each["seed_index"]
            print(f"{names[each['submission']]} failed under seed index {index}: {last}")

    def _run(
        self, *words: str | Path, expected: tuple[int, ...] = (0,), quiet: bool = False
    ) -> str:
        """Carry a command out and show it; return what it printed if that is not shown."""
        shown = [os.path.relpath(each) if isinstance(each, Path) else each for each in words]
        print(f"$ seedlock {' '.join(shown)}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "seedlock", *map(str, words)], env=self.environ, text=True,
            stdout=subprocess.PIPE if quiet else None, stderr=subprocess.PIPE if quiet else None,
            check=False,
        )  # fmt: skip
        if done.returncode not in expected:
            print(done.stdout or "", done.stderr or "", sep="")
            raise Unexpected(f"that ended with status {done.returncode}")
        return done.stdout or ""

    def _say(self, text: str) -> None:
        print(f"\n{text}", flush=True)


def main() -> int:
    """Hold the round; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="for what is made; one of an earlier demo is replaced")
    parser.add_argument(
        "--example", default=HERE, type=Path, metavar="DIR",
        help="another policy.toml and submissions/ (default: examples/round)",
    )  # fmt: skip
    options = parser.parse_args()
    folder = Path(options.folder).absolute()
    if folder.exists() and not (folder / MARK).exists():
        print(f"{folder} is there, and no earlier demo made it; name another folder")
        return 2
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    start = time.monotonic()
    try:
        demo = Demo(folder, options.example.absolute())
        demo.hold()
    except Unexpected as problem:
        print(f"demo: {problem}")
        return 1
    print(f"\nThe round took {time.monotonic() - start:.0f} s. Its page, which needs no server:")
    print((demo.page / "index.html").as_uri())
    print("make serve shows it in the application, at http://127.0.0.1:8000")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted")
        sys.exit(130)
