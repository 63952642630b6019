"""What organisers and authors do with a real server by commands, beside the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import requests

from tests.interpreter import Done, run
from tests.leaderboard.served import SEEDLOCK, Served

TOKEN = re.compile(r"slk_[A-Za-z0-9_-]{43}")

CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Person:
    """Somebody with a token.

    Args:
        served: the server.
        token: theirs.
        file: where it is kept, new.
    """

    def __init__(self, served: Served, token: str, file: Path) -> None:
        self.served, self.token, self.file = served, token, file
        file.touch(0o600)
        file.write_text(f"{token}\n")

    def command(self, *words: str | Path, check: bool = True) -> Done:
        """Run `seedlock WORDS` for this server with this token."""
        return run(
            [SEEDLOCK, *map(str, words)], check=check, REPRO_BOARD=self.served.url,
            REPRO_BOARD_TOKEN_FILE=str(self.file),
        )  # fmt: skip

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask the interface."""
        return requests.request(
            method, f"{self.served.url}/api/v1/{path}", timeout=60,
            headers={"Authorization": f"Bearer {self.token}"}, **more,
        )  # fmt: skip


class Organiser(Person):
    """The first one, by the link that the server printed.

    Args:
        served: the server, newly started.
        folder: for the token's file.
    """

    def __init__(self, served: Served, folder: Path) -> None:
        super().__init__(served, first_token(served), folder / "organiser.token")

    def publish(self, folder: Path) -> Done:
        """Publish a round."""
        return self.command("board", "publish", folder)

    def issue(self, file: Path, role: str, team: str | None = None, **more: Any) -> Person:
        """Issue a token, for a team that is made if it is new."""
        if team is not None:
            assert self.ask("POST", "teams", json={"name": team}).status_code in (201, 409)
        answer = self.ask("POST", "tokens", json={"role": role, "team": team, **more})
        assert answer.status_code == 201, answer.text
        return Person(self.served, answer.json()["token"], file)


def first_token(served: Served) -> str:
    """Use the server's first link up, as a browser does, and return the token."""
    with requests.Session() as browser:
        asked = browser.get(served.first_link, timeout=60)
        field, code = CSRF.search(asked.text), served.first_link.partition("code=")[2]
        assert field, asked.text
        data = {"csrf": field.group(1), "code": code}
        found = TOKEN.search(browser.post(f"{served.url}/first", data=data, timeout=60).text)
        assert found
        return found.group()
