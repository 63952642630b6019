"""`seedlock sign`: keys made, records signed, and what is not."""

from __future__ import annotations

from pathlib import Path

from seedlock.evaluation.spot_checks import keys
from seedlock.evaluation.spot_checks.signature import beside, verified
from tests.evaluation.spot_checks.authors_round import World, open_round, seedlock, unfinished


def test_a_new_key_is_printed_as_submission_toml_has_it(tmp_path: Path) -> None:
    """Under a passphrase of a file, if one is asked for; the private half is not printed."""
    done = seedlock("sign", "--new-key", "me.pem", cwd=tmp_path)
    assert done.status == 0, done.err
    key = keys.load(tmp_path / "me.pem", None)
    assert done.out == f'signing_key = "{keys.public(key)}"\n'

    (tmp_path / "words").write_text("correct horse\n")
    words = ("sign", "--new-key", "locked.pem", "--passphrase")
    done = seedlock(*words, cwd=tmp_path, REPRO_PASSPHRASE_FILE="words")
    assert done.status == 0, done.err
    keys.load(tmp_path / "locked.pem", b"correct horse")
    assert seedlock(*words, cwd=tmp_path).status == 78


def test_records_are_signed_for_the_round(world: World) -> None:
    """With the published files alone: the organiser's private folder is not asked for."""
    record = world.record("mine", 0)
    beside(record).unlink()
    (world.round / "private").rename(world.folder / "elsewhere")

    done = seedlock("sign", record, "--key", world.folder / "mine.pem", "--round", world.round)

    assert done.status == 0, done.err
    assert done.out == f"{beside(record)}\n"
    statement = verified(record, record.read_bytes())
    assert statement.draw == world.this.digest("draw")
    assert statement.policy == world.this.policy.digest


def test_what_is_not_the_rounds_is_not_signed(world: World) -> None:
    """A record under another seed, an unfinished one, none at all: nothing is signed, no other of
    the same call either."""
    for each in world.records:
        beside(each).unlink()
    other = open_round(world.folder / "other", world.submissions, "portable")
    key = ("--key", world.folder / "mine.pem")
    world.edit("mine", 1, unfinished)

    for records, folder, said in (
        ((world.record("mine", 0),), other.folder, "is none of the round's"),
        ((world.record("mine", 0), world.record("mine", 1)), world.round, "says running"),
        ((world.folder / "mine.pem",), world.round, "is not JSON"),
        ((world.record("mine", 0),), world.folder, "draw.json"),
    ):
        done = seedlock("sign", *records, *key, "--round", folder)
        assert done.status in (2, 78) and said in done.err, done.err
    assert not list(world.folder.glob("records/*.sig"))
