"""`seedlock round`: hidden seeds that nobody chose, and the proof of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.claims import Finding
    from seedlock.evaluation.rounds.verification import Seen

EXIT_USAGE = 2

STATUSES = """\
exit status:
    0  the step was taken
    2  the command line is wrong
   74  a disk is full; nothing was written half, say it again
   78  the policy, the beacon, the passphrase or the round's folder is not
       what is allowed; nothing was written
  130  interrupted; say it again

docs/rounds.md has a policy to copy, and what to do on which day.
"""

VERDICT_STATUSES = """\
exit status:
    0  PROVEN: all of it follows from the files and from what was noted
    1  WRONG: something was changed, left out or added; the lines name it
    2  the command line is wrong
    3  INCOMPLETE: what is here holds; the round has not come to its end
    4  VOID: the secret was not revealed in time; no result of the round counts
    5  CONDITIONAL: all holds; some of it rests on what files can't show,
       and the lines with "if" say on what
"""

VERIFY_STATUSES = f"""{VERDICT_STATUSES}\
   78  there is no round here, or a file that was given is not one of a round

docs/rounds.md says what is proven by what.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = _parser(
        subcommands, "round", "draw a round's hidden seeds, and prove that nobody chose them",
        "Open, freeze, draw, reveal and verify a conference's round. FOLDER is the round's "
        "(default: this one).", STATUSES,
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    opening = _command(
        commands, "open", _open, "draw the secret and publish what binds it and the policy",
    )  # fmt: skip
    opening.add_argument("--policy", required=True, metavar="FILE", help="policy.toml")
    opening.add_argument(
        "--passphrase", action="store_true",
        help="ask for a passphrase to keep the secret under (REPRO_PASSPHRASE_FILE does without)",
    )  # fmt: skip
    freezing = _command(
        commands, "freeze", _freeze, "after the deadline, publish the list of submissions"
    )
    freezing.add_argument(
        "--submissions", metavar="DIR",
        help="folder with a folder for each submission (default: FOLDER/submissions)",
    )  # fmt: skip
    freezing.add_argument(
        "--early", action="store_true",
        help="before the deadline, which freeze.json says then and verify as well",
    )  # fmt: skip
    receipts = _command(
        commands, "receipt", _receipt, "print an author's proof that a submission is in the list",
        folder=False,
    )  # fmt: skip
    receipts.add_argument("name", metavar="NAME", help="the submission's name")
    receipts.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="default: .")
    drawing = _command(commands, "draw", _draw, "derive the seeds and publish what binds them")
    drawing.add_argument(
        "--beacon", metavar="VALUE",
        help="signature of the declared round, a relay's JSON, a file with either, or -",
    )  # fmt: skip
    revealing = _command(commands, "reveal", _reveal, "after the review, publish the secret")
    revealing.add_argument(
        "--without-ledger", action="store_true",
        help="reveal though FOLDER/ledger.jsonl is not there; verify says what can't be seen then",
    )  # fmt: skip
    _command(commands, "show", _show, "say where a round stands and what to do next")
    verifying = _command(
        commands, "verify", _verify, "prove from the published files that nobody chose the seeds",
        statuses=VERIFY_STATUSES,
    )  # fmt: skip
    add_noted(verifying)


def add_noted(parser: argparse.ArgumentParser) -> None:
    """Add the options by which somebody says what they noted in time."""
    parser.add_argument(
        "--seen", action="append", default=[], metavar="WHAT=DIGEST",
        help="what you noted in time: opening=sha256:…, freeze=sha256:… or ledger=NUMBER:HASH",
    )  # fmt: skip
    parser.add_argument(
        "--receipt", action="append", default=[], metavar="FILE", help="what you got at the freeze"
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="KEY",
        help="public key of a beacon's network that you trust beside drand's quicknet",
    )  # fmt: skip


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    carry_out: Callable[[argparse.Namespace, Round], int],
    about: str,
    statuses: str = STATUSES,
    folder: bool = True,
) -> argparse.ArgumentParser:
    parser = _parser(commands, name, about, f"{about[0].upper()}{about[1:]}.", statuses)
    if folder:
        parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="default: .")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_begin, carry_out=carry_out)
    return parser


def _parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str,
    text: str, statuses: str,
) -> argparse.ArgumentParser:  # fmt: skip
    return commands.add_parser(
        name, help=about, description=textwrap.fill(text, 80), epilog=statuses,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def _begin(options: argparse.Namespace) -> int:
    # A secret that is drawn under a lock could follow from its seed.
    leave_lock()
    from seedlock.evaluation.requirements import ROUND, require

    require(ROUND)
    from seedlock.evaluation.rounds.ceremony import Round

    status: int = options.carry_out(options, Round(Path(options.folder).absolute()))
    return status


def _open(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds import canonical, passphrase, steps

    phrase = passphrase.given(os.environ)
    if options.passphrase and phrase is None:
        phrase = passphrase.asked(twice=True)
    steps.open_round(this.folder, Path(options.policy), canonical.now(), phrase)
    return _show(options, this)


def _freeze(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds import canonical, handed_in, steps

    folder = Path(options.submissions) if options.submissions else this.folder / "submissions"
    entries = handed_in.gather(folder, this.policy)
    steps.freeze_round(this, entries, canonical.now(), options.early)
    return _show(options, this)


def _draw(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds import canonical, steps

    value = _value(options.beacon)
    if value is None and options.beacon is not None:
        return _refuse(f"--beacon {options.beacon}: the file can't be read")
    steps.draw_round(this, value, canonical.now(), _phrase(this))
    return _show(options, this)


def _reveal(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.ledger.behind import is_behind
    from seedlock.evaluation.rounds import canonical, ledger_lines, steps

    path = this.folder / ledger_lines.NAME
    cure = f"say seedlock ledger export {this.folder} -o {path}"
    if not path.exists() and not options.without_ledger:
        return _refuse(f"{path} is not there; {cure}, or --without-ledger")
    head = ledger_lines.head_of(path) if path.exists() else None
    if head is not None and is_behind(this.folder, head["events"], head["head"]):
        return _refuse(
            f"{path} is not the whole ledger that lies beside it, whose end reveal.json would cut "
            f"off for good; {cure}"
        )
    steps.reveal_round(this, head, canonical.now(), _phrase(this))
    return _show(options, this)


def _receipt(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds import receipt

    print(json.dumps(receipt.make(this, options.name), indent=1, sort_keys=True))
    return 0


def _show(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds import canonical, standing

    found = standing.look(this, canonical.now())
    print(json.dumps(found, indent=1, sort_keys=True) if options.json else standing.lines(found))
    return 0


def _verify(options: argparse.Namespace, this: Round) -> int:
    from seedlock.evaluation.rounds import canonical, verification

    seen = noted(options)
    if isinstance(seen, str):
        return _refuse(seen)
    found = verification.verify(this.folder, canonical.now(), seen)
    return show_findings(this.policy.name, found, options.json)


def show_findings(name: str, found: Sequence[Finding], as_json: bool) -> int:
    """Print what a verification of a round found; return the exit status that follows."""
    from seedlock.evaluation.rounds import claims

    word, status, meaning = claims.verdict(found)
    if as_json:
        content: dict[str, Any] = {
            "round": name, "verdict": word, "exit_status": status,
            "findings": [each.as_dict() for each in found],
        }  # fmt: skip
        print(json.dumps(content, indent=1, sort_keys=True))
    else:
        print(_plain(f"{name}: {word}: {meaning}"))
        for each in found:
            print(_plain(f"{each.state:<7} {each.about}: {each.said}"))
    return status


def noted(options: argparse.Namespace) -> Seen | str:
    """Return what was noted, by the options of `add_noted`, or what is wrong with one."""
    from seedlock.evaluation.rounds import beacon, canonical, receipt
    from seedlock.evaluation.rounds.verification import Seen

    digests: dict[str, str] = {}
    heads = []
    for each in options.seen:
        what, _, noted = each.partition("=")
        number, _, head = noted.partition(":")
        if what in ("opening", "freeze") and canonical.DIGEST.fullmatch(noted):
            if digests.setdefault(what, noted) != noted:
                return f"--seen names two digests of {what}; allowed: one"
        elif what == "ledger" and number.isdecimal() and canonical.HEX_32.fullmatch(head):
            heads.append((int(number[:18]), head))
        else:
            allowed = "opening=sha256:…, freeze=sha256:… or ledger=NUMBER:HASH"
            return f"--seen {each}; allowed: {allowed}, with 64 hexadecimal digits, small ones"
    for key in options.network:
        if not beacon.PUBLIC_KEY.fullmatch(key):
            return f"--network {key}; allowed: 192 hexadecimal digits, small ones"
    receipts = [receipt.read(Path(each)) for each in options.receipt]
    return Seen(digests, heads, frozenset(options.network), receipts)


def _value(given: str | None) -> str | None:
    """Return a beacon's value: what stands on the command line, in a file, or comes in."""
    if given == "-":
        return sys.stdin.buffer.read(1 << 20).decode(errors="replace")
    if given is None or given.lstrip().startswith("{") or not os.path.exists(given):
        return given
    try:
        with open(given, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return None


def _phrase(this: Round) -> str | None:
    from seedlock.evaluation.rounds import passphrase

    return passphrase.of_secret(this.passphrase_needed)


def _plain(text: str) -> str:
    """Names in files are strangers': nothing in them moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _refuse(problem: str) -> int:
    print(_plain(f"seedlock round: {problem}"), file=sys.stderr)
    return EXIT_USAGE
