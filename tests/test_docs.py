"""The documents name everything that there is, and nothing that there is not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from seedlock import cli, settings
from seedlock.derivation import STREAMS, stream_seed
from seedlock.registry import REGISTRY
from tests.interpreter import REPOSITORY, run


def read(name: str) -> str:
    """Return a document's text."""
    return (REPOSITORY / name).read_text()


def documents() -> list[Path]:
    """Return the project's Markdown files that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [REPOSITORY / name for name in listed.stdout.splitlines()]


def slugs(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_message_is_explained_and_no_other() -> None:
    """Each slug in the code and in the entrypoint has a section in docs/messages.md."""
    sources = [*REPOSITORY.glob("seedlock/**/*.py"), *REPOSITORY.glob("entrypoint/*")]
    text = "\n".join(path.read_text() for path in sources)
    used = set(re.findall(r'slug = "([a-z-]+)"', text)) - {"seedlock-error"}
    used |= set(re.findall(r"messages\.md#([a-z-]+)", text))
    used |= set(re.findall(r'"((?:bad|report|locked)-[a-z0-9-]+)"', text))

    assert used == slugs(read("docs/messages.md")) - {"messages"}


def test_every_variable_is_in_the_readme() -> None:
    """Each public REPRO_* constant of settings.py has a row in the README's table."""
    names = {value for value in vars(settings).values()
             if isinstance(value, str) and re.fullmatch(r"REPRO_[A-Z0-9_]+", value)}  # fmt: skip
    rows = set(re.findall(r"^\| `(REPRO_[A-Z0-9_]+)`", read("README.md"), re.MULTILINE))

    assert rows == names


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_every_adapter_is_in_the_tables(entry: object) -> None:
    """README and docs/determinism.md have a row per library."""
    name = entry.name  # type: ignore[attr-defined]

    for document in ("README.md", "docs/determinism.md"):
        assert re.search(rf"^\| *{name}\b", read(document), re.MULTILINE | re.IGNORECASE), document


def test_every_command_is_in_the_readme() -> None:
    """Each command that --help lists is shown."""
    shown = run(["seedlock", "--help"], PATH=_path()).out
    commands = re.findall(r"^    ([\w-]+)\s+\w", shown, re.M)

    assert commands == [
        "env", "run", "verify", "diff", "show", "export", "data", "manifest", "replay",
        "bundle", "check", "reference", "round", "evaluate", "unit", "apptainer", "status",
        "ledger", "sign", "spot-check", "kubernetes", "checklist", "watch", "submit", "board",
        "serve",
    ]  # fmt: skip
    for command in commands:
        assert f"seedlock {command}" in read("README.md")


def test_every_stream_has_a_call_by_hand() -> None:
    """The table that seedlock env prints is complete, and the README's copy is right."""
    assert set(cli.BY_HAND) == set(STREAMS)
    for name in STREAMS:
        assert cli.BY_HAND[name].format(stream_seed(7, name)) in read("README.md")


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_named_files_and_targets_exist(path: Path) -> None:
    """Each file of the project and each make target that a document names is there."""
    text = path.read_text()
    targets = set(re.findall(r"`make ([a-z-]+)`", text))
    known = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    files = re.findall(
        r"`((?:seedlock|entrypoint|tests|docs|examples|benchmarks|version-lock)/[\w./-]+)`", text
    )

    assert targets <= known
    for name in set(files) - {"seedlock/1"}:
        found = list(REPOSITORY.glob(name)) or "evaluation" in name or "leaderboard" in name
        assert found or "<" in name, name


@pytest.mark.parametrize(
    "name",
    ["docs/architecture.md", "docs/rooms.md", "docs/threat-model.md", "docs/migration.md"],
)
def test_tests_that_a_page_names_exist(name: str) -> None:
    """A rule of the house, and what a threat is caught by, name tests that are there."""
    named = re.findall(r"`(?:tests/)?((?:\w+/)*test_\w+\.py)(?:::(test_\w+))?`", read(name))

    assert named
    for file, test in named:
        text = read(f"tests/{file}")
        assert not test or f"\ndef {test}(" in text, f"{file}::{test}"


def untested(text: str) -> list[str]:
    """Return the rows of a page's tables of rules that name no test."""
    _, *tables = text.split("\n| rule | test |\n")
    rows = [row for table in tables for row in table.split("\n\n")[0].splitlines()[1:]]
    assert rows
    cells = [row.strip("| ").partition(" | ") for row in rows]
    return [rule for rule, _, tests in cells if not re.search(r"`[\w/]+(\.py|/)", tests)]


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/rooms.md"])
def test_each_rule_names_a_test(name: str) -> None:
    """A file, a function of it, or a folder."""
    assert untested(read(name)) == []


def test_a_rule_without_a_test_is_found() -> None:
    """Positive controls: an empty cell, and words."""
    head = "# A\n\n| rule | test |\n| --- | --- |\n| One. | `test_docs.py::test_x` |\n"

    assert untested(f"{head}| Two. | |\n| Three. | by hand |\n\nText.\n") == ["Two.", "Three."]


def rooms() -> set[str]:
    """Return the paths that docs/rooms.md gives a row, below the repository's folder; those of
    folders end with a slash."""
    inside, organisers = read("docs/rooms.md").split("## Rules", 1)[0].split("## The organiser's")
    found = set()
    for base, text in (("seedlock/", inside), ("seedlock/evaluation/", organisers)):
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
            names = re.findall(r"`([\w./]+)`", row)
            folder, slash, _ = names[0].rpartition("/")
            under = "seedlock/" if folder.startswith("leaderboard") else base
            for name in names:
                beside = f"{under}{folder}{slash}{name}"
                found.add(beside if (REPOSITORY / beside).exists() else under + name)
    return found


def test_every_file_has_its_room() -> None:
    """Each file of the package has a row in docs/rooms.md, by itself or with its folder, and no
    row is of a file that is not there."""
    named = rooms()
    folders = {name for name in named if name.endswith("/")}
    files = {
        str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("seedlock/**/*.py")
        if path.stem not in ("__init__", "__main__")
    }  # fmt: skip

    lost = {name for name in files - named if not any(map(name.startswith, folders))}
    assert lost == set(), "rows for these in docs/rooms.md"
    assert {name for name in named if not (REPOSITORY / name).exists()} == set()


def _path() -> str:
    import sys

    return str(Path(sys.executable).parent)
