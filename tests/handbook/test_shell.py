"""Positive controls: what is wrong in a page is found, with its line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.handbook import page, shell


def typed(text: str, folder: Path) -> shell.Failure | None:
    """Run a small page."""
    return shell.run(shell.typed_here(page.parse(text, "small.md")), folder)


def test_a_page_without_faults(tmp_path: Path) -> None:
    """One folder and one shell: files, the folder and variables stay for later blocks. A set-up is
    run, a folder copied, a here-document and a continued line are one command each."""
    failure = typed(
        """
<!-- set-up:
echo hidden > hidden.txt
-->
```console
$ cat hidden.txt
something else that it prints
$ mkdir below && cd below
$ export NAME=$(cat <<'END'
> a name
> END
> )
$ echo "$NAME"
```

1. In a list:
   ```sh
   # a comment
   test "$NAME" = \\
       "a name"
   cat > program.py <<'END'
   print("printed")

   END
   test "$(python program.py)" = printed && test -e ../hidden.txt
   ```

<!-- run: with=examples/round -->
```sh
test -e ../policy.toml
```

<!-- run: status=3 -->
```sh
true
sh -c 'exit 3'
```

<!-- not run: needs a GPU -->
```sh
false
```

<!-- run: in=image -->
```sh
true
```
""",
        tmp_path,
    )

    assert failure is None, failure.text("small.md")


@pytest.mark.parametrize(
    ("text", "line", "status", "said"),
    [
        ("```sh\ntrue\nls missing\n```\n", 3, 2, "missing"),
        ("```console\n$ seedlock env --no-such-option\n```\n", 2, 2, "no-such-option"),
        ("\n<!-- run: status=1 -->\n```sh\ntrue\ntrue\n```\n", 5, 0, ""),
        ("```sh\nsh -c 'exit 3'\n```\n", 2, 3, ""),
        ("```sh\nfalse | true\n```\n", 2, 1, ""),
        ("```sh\necho 'no end\n```\n", 2, None, "unexpected EOF"),
        ("```sh\nno-such-command\n```\n", 2, 127, "not found"),
        ("```sh\nexit 0\n```\n", 2, None, ""),
        ("<!-- set-up:\nfalse\n-->\n", 2, 1, ""),
        ("```sh\ntrue\n```\n\n```sh\ncd missing\n```\n", 6, 1, "missing"),
        ("```sh\npip install no-such-package-anywhere\n```\n", 2, 1, "No matching distribution"),
    ],
    ids=[
        "a command that fails", "an unknown option", "a status that is not the page's",
        "another status than 0", "a pipe of which a part fails", "a quote without an end",
        "an unknown command", "the shell's end", "a set-up that fails", "a later block",
        "a package that is not there",
    ],
)  # fmt: skip
def test_a_fault_is_found(
    text: str, line: int, status: int | None, said: str, tmp_path: Path
) -> None:
    """The line of the page, the status and the end of what it printed are told."""
    failure = typed(text, tmp_path)

    assert failure is not None
    assert (failure.command.line, failure.status) == (line, status)
    assert said in failure.output
    shown = failure.text("docs/small.md")
    assert f"docs/small.md:{line}: " in shown and failure.command.text in shown
    assert said in shown


def test_a_later_command_is_not_typed_after_a_fault(tmp_path: Path) -> None:
    """The first failure ends the page."""
    failure = typed("```sh\nfalse\ntouch later\n```\n", tmp_path)

    assert failure is not None
    assert failure.command.line == 2
    assert not (tmp_path / "page" / "later").exists()


def test_a_server_is_waited_for_and_ended(tmp_path: Path) -> None:
    """The command after the one in the background finds it listening; nothing of it is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = typed(
        f"```sh\npython -m http.server {port} --bind 127.0.0.1 &\n"
        f"curl --silent --fail http://127.0.0.1:{port}/ > listing\n```\n",
        tmp_path,
    )

    assert failure is None, failure.text("small.md")
    assert not list(shell.left(tmp_path / "page"))
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_the_environment_is_the_pages_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of seedlock's or pip's reaches it, home is empty, and pip changes nothing."""
    monkeypatch.setenv("REPRO_SEED", "7")
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")

    failure = typed(
        '```sh\ntest -z "$REPRO_SEED$XDG_CACHE_HOME$PIP_INDEX_URL" && test -z "$(ls -A ~)"\n'
        'pip install --force-reinstall "$REPOSITORY"/build/wheels/numpy-*.whl > said\n'
        'grep "Would install" said\n```\n',
        tmp_path,
    )

    assert failure is None, failure.text("small.md")
