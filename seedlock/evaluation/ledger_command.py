"""`seedlock ledger`: check, publish and read the ledger of a round."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from seedlock.evaluation.ledger.ledger import Ledger

EXIT_GOOD = 0
EXIT_CHANGED = 1
EXIT_USAGE = 2

SHOWN = 20
"""Problems that are printed; --json has all."""

EPILOG = (
    "Exit status 1: the ledger is not what was written; 74: a disk is full; 78: there is no "
    "ledger. docs/ledger.md has the tables and the format."
)


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "ledger",
        help="check, publish and read the ledger of a round",
        description="Check, publish and read the ledger of a round.",
        epilog=EPILOG,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="find what was changed, taken out, put in or moved",
        description="Compute the chain of events anew, see that each event could happen after "
        "those before it, and that the ledger's state follows from them. An exported file "
        "(.jsonl) has no state.",
        epilog=EPILOG,
    )
    verify.add_argument(
        "--head", action="append", default=[], metavar="SEQUENCE:HASH",
        help="a head that was noted elsewhere; finds an end that was cut off and a chain that was "
        "written anew; may be said several times",
    )  # fmt: skip
    verify.set_defaults(command=_verify)
    export = commands.add_parser(
        "export",
        help="write all events to a file, and print the head",
        description="Write all events to a file, one JSON object per line, and print the head "
        "SEQUENCE:HASH, to be noted where others see it.",
        epilog=EPILOG,
    )
    export.add_argument(
        "-o", "--output", metavar="FILE", default="ledger.jsonl", help="default: ledger.jsonl, here"
    )
    export.set_defaults(command=_export)
    show = commands.add_parser(
        "show", help="print events", description="Print events, the oldest first.", epilog=EPILOG
    )
    show.add_argument("--submission", metavar="NAME", help="only those of one, by name or digest")
    show.add_argument("--after", metavar="SEQUENCE", default="0", help="only those after this one")
    show.set_defaults(command=_show)
    for each in (verify, export, show):
        each.add_argument(
            "ledger", nargs="?", default=".", metavar="LEDGER",
            help="a round's folder, a ledger's file, or a URL (default: the folder here)",
        )  # fmt: skip
    for each in (verify, show):
        each.add_argument("--json", action="store_true", help="print JSON")


def _open(options: argparse.Namespace) -> Ledger:
    from seedlock.evaluation.requirements import LEDGER, require

    require(LEDGER)
    from seedlock.evaluation.ledger.ledger import Ledger

    return Ledger.open(options.ledger, create=False)


def _verify(options: argparse.Namespace) -> int:
    from seedlock.evaluation.ledger.chain import read_head

    heads = [read_head(text) for text in options.head]
    if None in heads:
        return _refuse(
            f"--head '{options.head[heads.index(None)]}'; allowed: SEQUENCE:HASH, as seedlock "
            "ledger export prints it"
        )
    noted = [head for head in heads if head is not None]
    if options.ledger.endswith(".jsonl"):
        from seedlock.evaluation.requirements import LEDGER, require

        require(LEDGER)
        from seedlock.evaluation.ledger.verification import verify_file

        found = verify_file(options.ledger, noted)
    else:
        with _open(options) as ledger:
            found = ledger.verify(noted)
    if options.json:
        import json

        print(json.dumps(
            {"whole": not found.problems, "events": found.events, "head": found.head,
             "problems": found.problems}, indent=1,
        ))  # fmt: skip
    else:
        for problem in found.problems[:SHOWN]:
            print(_plain(problem))
        if len(found.problems) > SHOWN:
            print(f"and {len(found.problems) - SHOWN} more; --json has all")
        word = "NOT WHOLE" if found.problems else "WHOLE"
        print(f"{word}   {found.events} events, head {found.head}")
    return EXIT_CHANGED if found.problems else EXIT_GOOD


def _export(options: argparse.Namespace) -> int:
    with _open(options) as ledger:
        head = ledger.export(options.output)
    print(head)
    return EXIT_GOOD


def _show(options: argparse.Namespace) -> int:
    if not (options.after.isascii() and options.after.isdigit() and len(options.after) < 19):
        return _refuse(f"--after '{options.after}'; allowed: a sequence number, 0 and up")
    with _open(options) as ledger:
        names = {each.digest: each.name for each in ledger.status().submissions}
        wanted = {digest for digest, name in names.items() if options.submission in (digest, name)}
        if options.submission is not None and not wanted:
            return _refuse(f"--submission '{options.submission}' is not in the ledger")
        for line in _lines(ledger, int(options.after), wanted, names, options.json):
            print(line)
    return EXIT_GOOD


def _lines(
    ledger: Ledger, after: int, wanted: set[str], names: dict[str, str], as_json: bool
) -> Iterator[str]:
    from seedlock.evaluation.ledger.chain import canonical

    for event in ledger.events(after):
        if wanted and event["submission"] not in wanted:
            continue
        yield canonical(event) if as_json else _plain(_line(event, names))


def _line(event: dict[str, Any], names: dict[str, str]) -> str:
    parts = [f"{event['sequence']:>7}", event["time"], f"{event['kind']:<8}"]
    if event["submission"] is not None:
        parts.append(names.get(event["submission"], event["submission"]))
    if event["seed_index"] is not None:
        parts.append(f"seed {event['seed_index']} attempt {event['attempt']}")
    content = event["content"]
    if isinstance(content, dict):
        # --json has the digests too.
        named = {name: each for name, each in content.items() if each and name != "record_sha256"}
        parts += [f"{name}={_value(value)}" for name, value in named.items()]
    if event["worker"] is not None:
        parts.append(f"by {event['worker']}")
    return "  ".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return str(value)


def _plain(text: str) -> str:
    """Names and reasons are strangers': nothing in them moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _refuse(problem: str) -> int:
    print(_plain(f"seedlock ledger: {problem}"), file=sys.stderr)
    return EXIT_USAGE
