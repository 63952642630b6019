"""seedlock board export from a server, by what it shows everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seedlock import cli
from seedlock.leaderboard import export_layout
from tests.interpreter import run
from tests.leaderboard.large_round import Shape, make
from tests.leaderboard.served import SEEDLOCK, Served, serving
from tests.leaderboard.work import Organiser

FEW = Shape(4, 2, "few", flawless=True)

UNTOLD = replace(FEW, name="untold", revealed=False)


@pytest.fixture(scope="module", name="served")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server with a round that is revealed and one that is not, and their folders."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder / "board", "--rate", "0") as served:
        organiser = Organiser(served, folder)
        for shape in (FEW, UNTOLD):
            make(folder / shape.name, shape)
            organiser.publish(folder / shape.name)
        yield served, folder


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("few", ("--records",)),
        pytest.param("few", (), marks=pytest.mark.full),
        ("untold", ("--records",)),
    ],
)
def test_it_is_what_the_folder_gives(
    served: tuple[Served, Path], tmp_path: Path, name: str, options: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Without a token; the same documents, records and values, and it verifies."""
    server, folder = served
    words = ["board", "export"]
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"

    assert cli.main([*words, str(folder / name), "-o", str(mine), *options]) == 0
    run([SEEDLOCK, *words, "--round", name, "-o", str(theirs), *options], REPRO_BOARD=server.url,
        REPRO_BOARD_TOKEN_FILE="/none")  # fmt: skip
    verdicts = {cli.main(["board", "verify", str(each)]) for each in (mine, theirs)}

    assert verdicts == {5 if name == "few" else 3}, capsys.readouterr().out
    for below in (export_layout.FILES, export_layout.RECORDS, export_layout.BOARD):
        one, other = _content(mine / below), _content(theirs / below)
        assert one == other, below
        assert bool(one) == (below != "records" or (bool(options) and name == "few"))


def test_what_is_not_there_is_refused(served: tuple[Served, Path], tmp_path: Path) -> None:
    """And nothing is written."""
    for more, status, said in (
        (("--round", "none", "--server", served[0].url), 78, "there is no such round"),
        (("--round", "few"), 78, "the server's address is"),
        ((), 2, "a round's folder, or --round NAME"),
        ((str(served[1] / "few"), "--round", "few"), 2, "a round's folder, or --round NAME"),
    ):
        done = run([SEEDLOCK, "board", "export", "-o", str(tmp_path / "x"), *more], check=False)
        assert (done.status, said in done.err) == (status, True), done.err
        assert not (tmp_path / "x").exists()


def _content(path: Path) -> object:
    if path.suffix == ".json":
        return json.loads(path.read_text())
    return {each.relative_to(path): each.read_bytes() for each in path.rglob("*") if each.is_file()}
