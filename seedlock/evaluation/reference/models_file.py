"""`reference.toml`: which models are trained on which tasks, under which seeds, and what is
expected of them (docs/reference.md)."""

from __future__ import annotations

import math
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation.recording.metrics import DIRECTIONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from seedlock.evaluation.reference.reference_errors import BadReference

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAME = "reference.toml"
PROGRAMS = "models"
"""Folder of the programs, beside the file."""

SHARED = "tasks"
"""Folder below that of the programs which each of them gets."""

FORMAT = 1

LEVELS = ("strict", "portable")

NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
"""Of models and tasks: they become names of files."""

MOST_SEEDS = 1000
MOST_STEPS = 1000

OP_STEPS = 2
"""Optimizer steps whose operations are traced, unless the file says otherwise."""

CURVE = "{metric}_by_epoch"
"""What the metric after each epoch is logged as."""


@dataclass(frozen=True)
class Task:
    """What models learn.

    Attributes:
        name: its name.
        title: for people.
        metric: what each program logs once at its end, and after each epoch as `CURVE`.
        direction: `max` or `min`.
        target: value of the convergence point: the first epoch that reaches it.
    """

    name: str
    title: str
    metric: str
    direction: str
    target: float

    def reaches(self, value: float) -> bool:
        """Tell whether a metric's value is as good as the target."""
        return value >= self.target if self.direction == "max" else value <= self.target


@dataclass(frozen=True)
class Model:
    """A model in one framework.

    Attributes:
        name: as `torch-digits`.
        framework: as `torch`.
        task: what it learns.
        command: words; `python` is the interpreter that seedlock runs in.
        program: name of the program's file below `PROGRAMS`.
        op_steps: how many of the first optimizer steps have their operations traced.
    """

    name: str
    framework: str
    task: Task
    command: tuple[str, ...]
    program: str
    op_steps: int


@dataclass(frozen=True)
class Models:
    """What the file says.

    Attributes:
        folder: where it lies, absolute.
        seeds: root seeds 1 to this one are trained under.
        level: one of `LEVELS`.
        models: in the file's order.
    """

    folder: Path
    seeds: int
    level: str
    models: tuple[Model, ...]

    @property
    def programs(self) -> Path:
        """Folder of the programs."""
        return self.folder / PROGRAMS

    def chosen(self, names: Iterable[str]) -> tuple[Model, ...]:
        """Return the models of these names, in the file's order; all without any.

        Raises:
            BadReference: there is none of a name.
        """
        wanted = set(names)
        known = [each.name for each in self.models]
        for name in sorted(wanted - set(known)):
            raise BadReference(
                f"there is no model '{printable(name, 80)}'; allowed: {', '.join(known)}; "
                "mend the name"
            )
        return tuple(each for each in self.models if not wanted or each.name in wanted)


def read(folder: Path) -> Models:
    """Return what the file in a folder says.

    Raises:
        BadReference: it is not there, can't be read, or says what is not allowed.
    """
    path = folder / NAME
    shown = printable(str(path), 200)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadReference(
            f"{shown} can't be read: {os.strerror(problem.errno or 5)}; allowed: a folder with a "
            f"{NAME}; docs/reference.md has one to copy"
        ) from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise BadReference(
            f"{shown} is not TOML: {printable(str(problem), 120)}; allowed: TOML 1.0 in UTF-8; "
            "docs/reference.md has one to copy"
        ) from problem
    return _Reader(path).models(content)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def models(self, content: dict[str, Any]) -> Models:
        self._only("", content, {"format", "seeds", "level", "tasks", "models"})
        if content.get("format") != FORMAT:
            raise self._bad("format", content.get("format"), str(FORMAT))
        seeds = self._whole("seeds", content.get("seeds"), 1, MOST_SEEDS)
        level = content.get("level")
        if level not in LEVELS:
            raise self._bad("level", level, " or ".join(LEVELS))
        tasks = {
            name: self._task(name, table)
            for name, table in self._tables("tasks", content.get("tasks")).items()
        }
        models = tuple(
            self._model(name, table, tasks)
            for name, table in self._tables("models", content.get("models")).items()
        )
        return Models(self._path.parent.resolve(), seeds, level, models)

    def _task(self, name: str, table: dict[str, Any]) -> Task:
        where = f"tasks.{name}."
        self._only(where, table, {"title", "metric", "direction", "target"})
        metric = self._text(f"{where}metric", table.get("metric"))
        direction, target = table.get("direction"), table.get("target")
        if direction not in DIRECTIONS:
            raise self._bad(f"{where}direction", direction, " or ".join(DIRECTIONS))
        number = type(target) in (int, float) and math.isfinite(target or 0.0)
        if not number or target is None:
            raise self._bad(f"{where}target", target, "a number, as 0.95")
        title = self._text(f"{where}title", table.get("title", name))
        return Task(name, title, metric, direction, float(target))

    def _model(self, name: str, table: dict[str, Any], tasks: dict[str, Task]) -> Model:
        where = f"models.{name}."
        self._only(where, table, {"framework", "task", "command", "op_steps"})
        task = table.get("task")
        if not isinstance(task, str) or task not in tasks:
            raise self._bad(f"{where}task", task, f"one of {', '.join(tasks)}")
        command = table.get("command")
        words = isinstance(command, list) and all(isinstance(each, str) for each in command)
        files = [each for each in command if self._is_program(each)] if words and command else []
        if command is None or len(files) != 1:
            allowed = f"words, one of them the name of a file in {PROGRAMS}/"
            raise self._bad(f"{where}command", command, f'{allowed}, as ["python", "train.py"]')
        steps = self._whole(f"{where}op_steps", table.get("op_steps", OP_STEPS), 1, MOST_STEPS)
        framework = self._text(f"{where}framework", table.get("framework"))
        return Model(name, framework, tasks[task], tuple(command), files[0], steps)

    def _is_program(self, word: str) -> bool:
        plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", word)
        return bool(plain) and (self._path.parent / PROGRAMS / word).is_file()

    def _tables(self, key: str, given: Any) -> dict[str, dict[str, Any]]:
        if not isinstance(given, dict) or not given:
            raise self._bad(key, given, f"a table for each, as [{key}.NAME]")
        for name, table in given.items():
            if not NAMES.fullmatch(name):
                raise self._bad(key, name, "names of letters, digits, dashes and underscores")
            if not isinstance(table, dict):
                raise self._bad(f"{key}.{name}", table, "a table")
        return given

    def _text(self, key: str, given: Any) -> str:
        if not isinstance(given, str) or not 0 < len(given) <= 200 or not given.isprintable():
            raise self._bad(key, given, "a text of up to 200 printable characters")
        return given

    def _whole(self, key: str, given: Any, least: int, most: int) -> int:
        if type(given) is not int or not least <= given <= most:
            raise self._bad(key, given, f"a whole number from {least} to {most}")
        return given

    def _only(self, where: str, table: dict[str, Any], known: set[str]) -> None:
        for key in table:
            if key not in known:
                raise self._bad(f"{where}{key}", "there", f"the keys {', '.join(sorted(known))}")

    def _bad(self, key: str, given: Any, allowed: str) -> BadReference:
        shown = "missing" if given is None else f"'{printable(str(given), 60)}'"
        return BadReference(
            f"{printable(str(self._path), 200)}: {printable(key, 80)} is {shown}; allowed: "
            f"{allowed}; docs/reference.md has one to copy"
        )
