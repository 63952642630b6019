"""What a page of the handbook tells its readers to type, read from its Markdown.

Fenced blocks of `sh` hold commands, one per line; blocks of `console` hold them after `$ `, and
what they print between. A trailing backslash continues a command, and so does a here-document; in
a console, continued lines may begin with `> `. A comment directly above a block may say:

    <!-- run: status=1 with=examples/round -->   how it is run
    <!-- run: in=image -->                       where: by tests/image, which has an engine
    <!-- not run: REASON; seen by tests/x/test_y.py::test_z -->

and commands that readers need not see, as those that make what a page is about, stand in one:

    <!-- set-up:
    seedlock round open --policy policy.toml round
    -->
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.interpreter import REPOSITORY

LANGUAGES = ("sh", "console")
"""Of blocks whose commands are run."""

OTHERS = ("", "dockerfile", "ini", "json", "mermaid", "nginx", "python", "text", "toml", "yaml")
"""Of blocks that hold no commands. `{eval-rst}` and the like are Sphinx's."""

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>[^`]*)$")
_MARK = re.compile(r" *<!-- (?P<kind>run|not run|set-up):(?P<said>.*?)(?P<end>-->)?$")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_KEYS = ("in", "status", "with")


class BadPage(Exception):
    """A page's marks or blocks are not as they have to be; the text names page and line."""


@dataclass(frozen=True)
class Command:
    """A command to be typed.

    Attributes:
        line: of the page, where it begins.
        text: one or more lines of shell.
        status: exit status that it ends with.
    """

    line: int
    text: str
    status: int = 0


@dataclass(frozen=True)
class Block:
    """Commands that stand together.

    Attributes:
        line: of the page, where the block begins.
        commands: of it.
        copied: folder of the repository whose content goes into the page's folder before.
        image: it is run where there is a container engine.
        reason: why it is not run; None: it is.
        seen_by: tests that do what it says, as `tests/x/test_y.py::test_z`.
    """

    line: int
    commands: tuple[Command, ...]
    copied: str | None = None
    image: bool = False
    reason: str | None = None
    seen_by: tuple[str, ...] = ()


@dataclass
class _Mark:
    line: int
    kind: str
    said: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    seen_by: tuple[str, ...] = ()


def read(path: Path) -> list[Block]:
    """Return the blocks of a page, in their order.

    Raises:
        BadPage: a mark or block is not as it has to be.
    """
    return parse(path.read_text(), name_of(path))


def parse(text: str, name: str) -> list[Block]:
    """Return the blocks of a page's text.

    Args:
        text: Markdown.
        name: of the page, for errors.

    Raises:
        BadPage: a mark or block is not as it has to be.
    """
    lines = text.split("\n")
    blocks: list[Block] = []
    mark: _Mark | None = None
    at = 0
    while at < len(lines):
        fence = _FENCE.fullmatch(lines[at])
        said = _MARK.fullmatch(lines[at])
        if mark is not None and not fence:
            raise BadPage(f"{name}:{mark.line}: no block begins below this comment")
        if said and said["kind"] == "set-up":
            end = _end(lines, at, "-->", f"{name}:{at + 1}: comment")
            indent = len(lines[at]) - len(lines[at].lstrip())
            commands = _shell([line[indent:] for line in lines[at + 1 : end]], at + 2, name)
            blocks.append(Block(at + 1, tuple(commands)))
            at = end
        elif said:
            mark = _read_mark(said, at + 1, name)
        elif fence:
            end = _end(lines, at, fence["fence"], f"{name}:{at + 1}: block")
            inner = [line[len(fence["indent"]) :] for line in lines[at + 1 : end]]
            blocks += _block(fence["language"].strip(), inner, at + 1, mark, name)
            mark = None
            at = end
        at += 1
    if mark is not None:
        raise BadPage(f"{name}:{mark.line}: no block begins below this comment")
    return blocks


def pages() -> list[Path]:
    """Return the pages whose commands are run: all that people are told to read."""
    found = [
        *REPOSITORY.glob("docs/**/*.md"),
        *REPOSITORY.glob("examples/**/README.md"),
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
        *(REPOSITORY / name / "README.md" for name in ("version-lock", "benchmarks")),
    ]
    return sorted(found)


def name_of(path: Path) -> str:
    """Return a page's name, as `docs/data.md`."""
    return str(path.relative_to(REPOSITORY))


def _block(
    language: str, inner: list[str], line: int, mark: _Mark | None, name: str
) -> list[Block]:
    if language not in LANGUAGES:
        if mark is not None:
            raise BadPage(f"{name}:{mark.line}: nothing in a block of {language!r} is run")
        if language not in OTHERS and not language.startswith("{"):
            raise BadPage(
                f"{name}:{line}: a block of {language!r}; with commands it is sh or console, "
                f"without: {', '.join(each or 'no word' for each in OTHERS)}"
            )
        if any(each.startswith("$ ") for each in inner):
            raise BadPage(f"{name}:{line}: commands in a block that is not run; call it console")
        return []
    commands = _shell(inner, line + 1, name) if language == "sh" else _console(inner, line + 1)
    if not commands:
        raise BadPage(f"{name}:{line}: a block of {language} without a command")
    if mark is None:
        return [Block(line, tuple(commands))]
    if mark.kind == "not run":
        return [Block(line, tuple(commands), reason=mark.reason, seen_by=mark.seen_by)]
    if "status" in mark.said:
        last = commands.pop()
        commands.append(Command(last.line, last.text, int(mark.said["status"])))
    copied = mark.said.get("with")
    return [Block(line, tuple(commands), copied=copied, image=mark.said.get("in") == "image")]


def _shell(inner: list[str], line: int, name: str) -> list[Command]:
    commands = []
    at = 0
    while at < len(inner):
        begin = at
        while inner[at].endswith("\\") and at + 1 < len(inner):
            at += 1
        heredoc = _HEREDOC.search("\n".join(inner[begin : at + 1]))
        if heredoc:
            at = _end(inner, at, heredoc[2], f"{name}:{line + begin}: here-document")
        text = "\n".join(inner[begin : at + 1])
        at += 1
        if text.strip() and not text.lstrip().startswith("#"):
            commands.append(Command(line + begin, text))
    return commands


def _console(inner: list[str], line: int) -> list[Command]:
    commands = []
    at = 0
    while at < len(inner):
        begin = at
        at += 1
        if not inner[begin].startswith("$ "):
            continue
        texts = [inner[begin][2:]]
        while at < len(inner) and (texts[-1].endswith("\\") or inner[at].startswith("> ")):
            texts.append(inner[at].removeprefix("> "))
            at += 1
        text = "\n".join(texts)
        if not text.startswith("#"):
            commands.append(Command(line + begin, text))
    return commands


def _read_mark(said: re.Match[str], line: int, name: str) -> _Mark:
    if not said["end"]:
        raise BadPage(f"{name}:{line}: this comment does not end on its line")
    text = said["said"].strip()
    if said["kind"] == "not run":
        reason, _, tests = text.partition("; seen by ")
        if not reason.strip():
            raise BadPage(f"{name}:{line}: a block is not run, and no reason is given")
        return _Mark(line, "not run", {}, reason.strip(), tuple(tests.replace(",", " ").split()))
    words = dict(word.partition("=")[::2] for word in text.split())
    unknown = [word for word in words if word not in _KEYS]
    if unknown or not words:
        raise BadPage(f"{name}:{line}: got {text!r}; allowed: {', '.join(_KEYS)} with =VALUE")
    if words.get("in", "image") != "image" or not words.get("status", "0").isdecimal():
        raise BadPage(f"{name}:{line}: got {text!r}; allowed: in=image, status=NUMBER")
    if "with" in words and not (REPOSITORY / words["with"]).is_dir():
        raise BadPage(f"{name}:{line}: {words['with']} is no folder of the repository")
    return _Mark(line, "run", words)


def _end(lines: list[str], at: int, closing: str, what: str) -> int:
    for end in range(at + 1, len(lines)):
        if lines[end].strip() == closing:
            return end
    raise BadPage(f"{what} without an end")
