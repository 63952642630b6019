"""The four steps: what each refuses, that nothing is overwritten, and that a killed one goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadBeacon, BadPassphrase, BadPolicy, BadRound
from seedlock.evaluation.rounds import receipt, secret_file, steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL
from seedlock.evaluation.rounds.round_files import alone
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import (
    DEADLINE,
    DRAWN,
    DUE,
    ENTRIES,
    FROZEN,
    NO_BEACON,
    NUMBER,
    OPENED,
    POLICY,
    REVEALED,
    SIGNATURES,
    entry,
)  # fmt: skip

SECOND = timedelta(seconds=1)


@pytest.fixture(name="this")
def this_fixture(tmp_path: Path) -> Round:
    """A round that was opened."""
    return made_rounds.opened(tmp_path / "round")


def held(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_whole_round(tmp_path: Path) -> None:
    """The policy is what it was, and the seeds are the same at each moment and to the reveal."""
    this, _ = made_rounds.revealed(tmp_path / "round")
    hidden = made_rounds.drawn(tmp_path / "other")

    assert this.policy == hidden.policy
    assert len(set(this.seeds())) == 3
    assert [str(each) for each in this.seeds()] == this.reveal()["seeds"]
    (this.folder / "private" / "secret.json").unlink()
    assert len(this.seeds()) == 3
    assert hidden.draw()["seeds"] is None
    assert hidden.seeds() == hidden.seeds() != this.seeds()


def test_seeds_are_published_where_the_authors_train(tmp_path: Path) -> None:
    """With the draw, and nobody needs the secret for them."""
    this = made_rounds.drawn(tmp_path / "round", 'train = "authors"\n' + POLICY, passphrase="x")

    (tmp_path / "round" / "private" / "secret.json").unlink()
    assert [str(each) for each in this.seeds()] == this.draw()["seeds"]
    assert not this.passphrase_needed


def test_an_opening_that_is_too_late(tmp_path: Path) -> None:
    """After the deadline nothing can be opened: submissions could be known."""
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    for late in (DEADLINE, DEADLINE + SECOND, DUE):
        with pytest.raises(BadRound, match="the deadline is over"):
            steps.open_round(tmp_path / "round", path, late)

    assert not (tmp_path / "round").exists()


def test_a_policy_that_is_none_opens_nothing(tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(BadPolicy):
        made_rounds.opened(tmp_path / "round", POLICY.replace("seeds = 3", "seeds = 0"))

    assert not (tmp_path / "round").exists()


def test_a_freeze_in_its_time(this: Round) -> None:
    """After the deadline and before the beacon; early only if it was said, and then it is seen."""
    with pytest.raises(BadRound, match="--early"):
        steps.freeze_round(this, ENTRIES, DEADLINE - SECOND)
    for late in (DUE, DUE + SECOND):
        with pytest.raises(BadRound, match="a new round with a later beacon"):
            steps.freeze_round(this, ENTRIES, late, early=True)
    assert not this.has(FREEZE)

    assert steps.freeze_round(this, ENTRIES, DEADLINE - SECOND, early=True)["early"] is True


@pytest.mark.parametrize("at", [DEADLINE, DUE - SECOND])
def test_an_early_freeze_that_is_none(this: Round, at: Any) -> None:
    """Whoever says --early after the deadline was not early."""
    assert steps.freeze_round(this, ENTRIES, at, early=True)["early"] is False


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "no submission"),
        ([*ENTRIES, entry("ours")], "one name"),
        ([*ENTRIES, {**entry("OURS"), "digest": entry("x")["digest"]}], "one name"),
        ([*ENTRIES, {**entry("copy"), "digest": ENTRIES[0]["digest"]}], "one digest"),
    ],
)
def test_lists_that_are_none(this: Round, entries: list[dict[str, str]], said: str) -> None:
    """None at all, one name or one content twice."""
    with pytest.raises(BadRound, match=said):
        steps.freeze_round(this, entries, FROZEN)

    assert not this.has(FREEZE)


def test_the_order_of_submissions_does_not_matter(tmp_path: Path, this: Round) -> None:
    """The list is sorted."""
    other = made_rounds.opened(tmp_path / "other")
    first = steps.freeze_round(this, ENTRIES, FROZEN)

    assert steps.freeze_round(other, ENTRIES[::-1], FROZEN)["submissions"] == first["submissions"]
    assert other.freeze()["root"] == first["root"]


def test_steps_in_their_order(this: Round) -> None:
    """No draw before the freeze, no reveal before the draw, nothing without an opening."""
    with pytest.raises(BadRound, match=r"freeze\.json is not there"):
        steps.draw_round(this, SIGNATURES[NUMBER], DRAWN)
    steps.freeze_round(this, ENTRIES, FROZEN)
    with pytest.raises(BadRound, match=r"draw\.json is not there"):
        steps.reveal_round(this, None, REVEALED)
    with pytest.raises(BadRound, match=r"draw\.json is not there"):
        this.seeds()
    with pytest.raises(BadRound, match=r"opening\.json is not there"):
        steps.freeze_round(Round(this.folder.parent / "none"), ENTRIES, FROZEN)


def test_a_draw_in_its_time_with_its_beacon(this: Round) -> None:
    """Not before the beacon's moment, not without it, not with another one."""
    steps.freeze_round(this, ENTRIES, FROZEN)
    with pytest.raises(BadRound, match="wait, or set the clock"):
        steps.draw_round(this, SIGNATURES[NUMBER], DUE - SECOND)
    with pytest.raises(BadRound, match="no beacon is given"):
        steps.draw_round(this, None, DRAWN)
    for value in (SIGNATURES[999], SIGNATURES[1001], "", f'{{"round": 999, "signature": "{1}"}}'):
        with pytest.raises(BadBeacon):
            steps.draw_round(this, value, DRAWN)
    assert not this.has(DRAW)

    assert steps.draw_round(this, SIGNATURES[NUMBER], DUE)["beacon"]["round"] == NUMBER


def test_a_beacon_that_was_not_declared(tmp_path: Path) -> None:
    """With none in the policy none is taken."""
    this = made_rounds.opened(tmp_path / "round", NO_BEACON)
    steps.freeze_round(this, ENTRIES, FROZEN)

    with pytest.raises(BadRound, match="leave --beacon out"):
        steps.draw_round(this, SIGNATURES[NUMBER], DRAWN)
    assert steps.draw_round(this, None, FROZEN)["beacon"] is None


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Each step once; a second time leaves each byte as it was."""
    this, _ = made_rounds.revealed(tmp_path / "round")
    before = held(this.folder)

    for step in (
        lambda: made_rounds.opened(this.folder),
        lambda: made_rounds.opened(this.folder, NO_BEACON),
        lambda: steps.freeze_round(this, ENTRIES, FROZEN),
        lambda: steps.freeze_round(this, [entry("x")], FROZEN),
        lambda: steps.draw_round(this, SIGNATURES[NUMBER], DRAWN),
        lambda: steps.reveal_round(this, None, REVEALED),
    ):
        with pytest.raises(BadRound, match=r"already"):
            step()
        assert held(this.folder) == before


def test_one_step_at_a_time(this: Round) -> None:
    """A second one is refused while the first goes on."""
    with alone(this.folder), pytest.raises(BadRound, match="one at a time"):
        steps.freeze_round(this, ENTRIES, FROZEN)

    assert steps.freeze_round(this, ENTRIES, FROZEN)


def test_a_secret_of_another_round(tmp_path: Path) -> None:
    """Is found before anything is written, whether drawn or revealed."""
    this, other = (made_rounds.opened(tmp_path / name) for name in ("one", "two"))
    steps.freeze_round(this, ENTRIES, FROZEN)
    place = secret_file.place(this.folder)
    own = place.read_bytes()
    place.write_bytes(secret_file.place(other.folder).read_bytes())

    with pytest.raises(BadRound, match="commits to"):
        steps.draw_round(this, SIGNATURES[NUMBER], DRAWN)
    assert not this.has(DRAW)
    place.write_bytes(own)
    steps.draw_round(this, SIGNATURES[NUMBER], DRAWN)
    place.write_bytes(secret_file.place(other.folder).read_bytes())
    with pytest.raises(BadRound, match="commits to"):
        steps.reveal_round(this, None, REVEALED)
    with pytest.raises(BadRound, match="commits to"):
        this.seeds()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_secret_is_its_owners(tmp_path: Path, mask: int) -> None:
    """Mode 0600 in a folder of mode 0700, whatever the mask, and the published files are not."""
    before = os.umask(mask)
    try:
        this = made_rounds.drawn(tmp_path / "round")
    finally:
        os.umask(before)

    place = secret_file.place(this.folder)
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(each.name for each in place.parent.iterdir()) == ["secret.json"]


def test_the_secret_is_never_open_to_others_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that it is first written to has its mode when it is made, with a mask of 0."""
    modes = []
    opener = os.open

    def watching(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        handle = opener(path, flags, mode, **more)
        if Path(path).name == ".secret.json.tmp":
            modes.append(os.fstat(handle).st_mode & 0o777)
        return handle

    monkeypatch.setattr(os, "open", watching)
    before = os.umask(0)
    try:
        made_rounds.opened(tmp_path / "round")
    finally:
        os.umask(before)

    assert modes == [0o600]


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, this: Round) -> None:
    """Who knows who read it."""
    steps.freeze_round(this, ENTRIES, FROZEN)
    secret_file.place(this.folder).chmod(0o640)

    with pytest.raises(BadRound, match="can be read by others"):
        steps.draw_round(this, SIGNATURES[NUMBER], DRAWN)


def test_a_passphrase(tmp_path: Path) -> None:
    """Without it, or with another, nothing is drawn, shown or revealed; the file has no secret."""
    this = made_rounds.drawn(tmp_path / "round", passphrase="correct horse")
    secret = this.secret("correct horse").exposed()
    assert this.passphrase_needed
    assert secret not in secret_file.place(this.folder).read_bytes()
    assert secret.hex().encode() not in secret_file.place(this.folder).read_bytes()

    for wrong in (None, "correct horse "):
        with pytest.raises(BadPassphrase) as caught:
            this.seeds(wrong)
        assert "correct" not in str(caught.value)
    with pytest.raises(BadPassphrase):
        steps.reveal_round(this, None, REVEALED, "")
    assert len(this.seeds("correct horse")) == 3
    steps.reveal_round(this, None, REVEALED, "correct horse")
    assert not this.passphrase_needed


def test_a_touched_secret_does_not_open(tmp_path: Path) -> None:
    """The encryption is authenticated, its parameters with it."""
    this = made_rounds.opened(tmp_path / "round", passphrase="x")
    place = secret_file.place(this.folder)
    text = place.read_text()
    for old, new in (('"text": "', '"text": "00'), ('"nonce": "', '"nonce": "00')):
        place.write_text(text.replace(old, new))
        with pytest.raises(BadPassphrase):
            this.secret("x")
    for old, new in (('"n": 131072', '"n": 2'), ("scrypt", "plain"), ("secret", "secrets")):
        place.write_text(text.replace(old, new))
        with pytest.raises(BadRound, match="no secret of a round"):
            this.secret("x")


def test_the_secret_is_nowhere_else(tmp_path: Path) -> None:
    """Before the reveal no other file has it, nor the seeds: not in hexadecimal digits, not in
    base64, not as bytes."""
    this = made_rounds.drawn(tmp_path / "round")
    secret, seeds = this.secret(None).exposed(), this.seeds()
    (tmp_path / "receipt.json").write_text(str(receipt.make(this, "ours")))
    forms = made_rounds.forms_of(secret)
    for seed in seeds:
        forms += [str(seed).encode(), seed.to_bytes(8, "big"), f"{seed:x}".encode()]

    found = {
        name: each
        for name, raw in held(tmp_path).items()
        for each in forms
        if each in raw and name != "round/private/secret.json"
    }

    assert found == {}
    assert secret.hex().encode() in secret_file.place(this.folder).read_bytes()


STEPS: dict[str, Callable[[Path], Any]] = {
    OPENING: made_rounds.opened,
    FREEZE: lambda folder: steps.freeze_round(Round(folder), ENTRIES, FROZEN),
    DRAW: lambda folder: steps.draw_round(Round(folder), SIGNATURES[NUMBER], DRAWN),
    REVEAL: lambda folder: steps.reveal_round(Round(folder), None, REVEALED),
}
CALLS = ("open", "fsync", "rename", "mkdir")


def killed_at(step: Callable[[Path], Any], folder: Path, call: int) -> bool:
    """Take a step in a child that is killed at its n-th call that changes the disk; return whether
    it came so far."""
    child = os.fork()
    if child == 0:
        left = call

        def counting(original: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*arguments, **options)

            return counted

        for name in CALLS:
            setattr(os, name, counting(getattr(os, name)))
        try:
            step(folder)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_step_goes_on(tmp_path: Path, step: str) -> None:
    """Killed between any two changes of the disk, a step leaves nothing that is half, nothing of a
    secret but its one file, and the same command goes on."""
    for call in range(60):
        folder = tmp_path / str(call) / "round"
        for before in list(STEPS)[: list(STEPS).index(step)]:
            STEPS[before](folder)
        made_rounds.usable_network()
        killed = killed_at(STEPS[step], folder, call)
        if not killed:
            break
        this = Round(folder)
        secret = secret_file.place(folder)
        known = secret.read_bytes() if secret.exists() else None
        if this.has(step):
            getattr(this, step)()  # whole: killed after it was done
        else:
            STEPS[step](folder)
        assert getattr(this, step)()
        assert known in (None, secret.read_bytes())
        assert this.secret(None)
        assert [each.name for each in secret.parent.iterdir()] == ["secret.json"]

    assert not killed
    assert call > 3


def test_a_secret_that_was_left_is_kept(tmp_path: Path) -> None:
    """Nothing was published about it, and it is not drawn again: it may be a round's whose other
    files somebody moved."""
    this = made_rounds.opened(tmp_path / "round")
    known = secret_file.place(this.folder).read_bytes()
    (this.folder / "opening.json").unlink()

    with pytest.raises(BadRound, match="without a passphrase"):
        made_rounds.opened(this.folder, passphrase="x")
    again = made_rounds.opened(this.folder, NO_BEACON)
    assert secret_file.place(this.folder).read_bytes() == known
    assert again.policy.network is None


def test_moments_of_the_tests() -> None:
    """The steps are taken in an order that a round allows."""
    assert OPENED < DEADLINE < FROZEN < DUE < DRAWN < REVEALED
