"""`seedlock sign` on the command line: a key, and signatures of records."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

EPILOG = """\
  seedlock sign --new-key me.pem            # once; the public key goes into submission.toml
  seedlock sign records/*.json --key me.pem --round ROUND

Writes RECORD.sig beside each record. Under a passphrase: REPRO_PASSPHRASE_FILE names a file with
it, or it is asked for on the terminal.

exit status: 0 done; 2 the command line is wrong; 74 a full disk; 78 key, record or round are not
what they should be, nothing was signed.

docs/spot-checks.md says what is signed.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "sign",
        help="sign records of a round that authors train",
        description="Make a key, or sign the records of runs that you made for a round.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "records", nargs="*", metavar="RECORD", help="what seedlock run --record wrote"
    )
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--new-key", metavar="FILE", help="make a key; prints its public half")
    key.add_argument("--key", metavar="FILE", help="the key to sign with")
    parser.add_argument("--round", metavar="ROUND", help="the round's folder, as published")
    parser.add_argument(
        "--passphrase", action="store_true", help="the key is under a passphrase, or is to be"
    )
    parser.set_defaults(command=_sign)


def _sign(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import ROUND, require

    require(ROUND)
    if options.new_key is not None:
        return _new(options)
    if not options.records or options.round is None:
        return _refuse("--key: say which records, and --round ROUND")
    from seedlock.evaluation.recording.record import COMPLETE, parse
    from seedlock.evaluation.rounds.formats import DRAW
    from seedlock.evaluation.spot_checks import keys, signature
    from seedlock.evaluation.spot_checks.round_terms import published

    this = published(Path(options.round))
    draw, policy, seeds = this.digest(DRAW), this.policy.digest, this.seeds()
    key = keys.load(Path(options.key), _passphrase(options, again=False))
    contents = []
    for each in options.records:
        path = Path(each)
        try:
            raw = path.read_bytes()
        except OSError as problem:
            return _refuse(f"{path}: {problem.strerror}")
        content = parse(str(path), raw)
        if content["status"] != COMPLETE:
            return _refuse(f"{path} says {content['status']}: its run was killed, or goes on")
        if content["seed"] not in seeds:
            return _refuse(f"{path}: its seed {content['seed']} is none of the round's")
        contents.append((path, raw))
    for path, raw in contents:
        print(signature.sign(path, raw, draw, policy, key))
    return 0


def _new(options: argparse.Namespace) -> int:
    from seedlock.evaluation.spot_checks import keys

    if options.records or options.round is not None:
        return _refuse("--new-key: allowed: alone, or with --passphrase")
    print(f'signing_key = "{keys.new(Path(options.new_key), _passphrase(options, again=True))}"')
    return 0


def _passphrase(options: argparse.Namespace, again: bool) -> bytes | None:
    if not options.passphrase:
        return None
    from seedlock.evaluation.rounds import passphrase

    found = passphrase.given(os.environ) or passphrase.asked(again, "the key")
    return found.encode("utf-8", "surrogateescape")


def _refuse(problem: str) -> int:
    print(f"seedlock sign: {problem}", file=sys.stderr)
    return EXIT_USAGE
