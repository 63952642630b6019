"""`seedlock board publish`: a round's published files from its folder to the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock
from seedlock.leaderboard.submit_command import server_options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from seedlock.leaderboard.client import Client

EPILOG = """\
Sends what the server lacks: opening.json and policy.toml, freeze.json, draw.json, ledger.jsonl,
the records that the ledger names, reveal.json and results of spot checks. Each is sent once; the
ledger may be sent again when it has grown (seedlock ledger export). private/ and submissions/ stay
here, and the server never needs the round's secret. Records hold their seeds: the server shows
them to organisers only until the reveal.

exit status: 0 the server has all of it; 2 the command line is wrong; 74 a full disk; 78 round,
token or address are not allowed, or the server refused; 130 interrupted: say it again, and it goes
on.

docs/leaderboard.md has an organiser's day.
"""


BATCH = 900_000
"""Bytes of JSON that go together; a server takes 1 MiB (configuration.Limits.body)."""

TOGETHER = 500
"""Records at the most, each of which the server brings to its disk."""

ENVELOPE = 300
"""Bytes of JSON around a record, with its names."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = commands.add_parser(
        "publish",
        help="send a round's published files to the leaderboard's server",
        description="Send the published files of the round in FOLDER to the server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="default: .")
    server_options(parser)
    parser.add_argument("--json", action="store_true", help="print what was sent as JSON")
    parser.set_defaults(command=_publish)


def _publish(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import CLIENT, ROUND, require

    require({**CLIENT, **ROUND})
    from rich.console import Console

    from seedlock.evaluation.data.fetch_progress import Bar
    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.leaderboard import client

    folder = Path(options.folder).absolute()
    name = Round(folder).policy.name
    server = client.given(options.server, options.token_file, os.environ)
    sent: list[dict[str, Any]] = []

    def tell(what: dict[str, Any]) -> None:
        sent.append(what)
        if not options.json:
            print(f"{what['file']}: {what['how']}, {what['size']} bytes", flush=True)

    with Bar(Console(stderr=True)) as bar:
        absent = _send(folder, name, server, bar, tell)
    told = server.get("rounds", name)
    if options.json:
        import json

        content = {"round": name, "revision": told["revision"], "sent": sent, "absent": absent}
        print(json.dumps(content, indent=1, sort_keys=True))
        return 0
    for each in absent[:10]:
        print(f"{each}: the ledger names it, and it is not here")
    if len(absent) > 10:
        print(f"and {len(absent) - 10} more")
    print(f"{name}: {len(sent) or 'nothing'} sent; {server.server} has revision {told['revision']}")
    return 0


def _send(
    folder: Path, name: str, server: Client, bar: Any, tell: Callable[[dict[str, Any]], None]
) -> list[str]:
    """Send what the server lacks; return the records that are not here either."""
    from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
    from seedlock.leaderboard.publication import REVEALING

    there = {
        each["name"]: each["sha256"]
        for each in server.get("rounds", name, missing={}).get("files", ())
    }
    absent: list[str] = []
    for path in _files(folder):
        if path.name == REVEALING and (folder / LEDGER).exists():
            absent = _send_records(folder, name, server, bar, tell)
        _send_file(path, name, server, bar, there, tell)
    if (folder / LEDGER).exists() and not (folder / REVEALING).exists():
        absent = _send_records(folder, name, server, bar, tell)
    return absent


def _files(folder: Path) -> Iterator[Path]:
    """Yield a round's published files in the order in which they follow from one another."""
    from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
    from seedlock.leaderboard.publication import REVEALING, published

    # policy.toml is held against the opening; a reveal names the ledger's end and spot checks.
    first = {"opening.json": 0, "policy.toml": 1, "freeze.json": 2, "draw.json": 3, LEDGER: 4,
             REVEALING: 6}  # fmt: skip
    yield from sorted(published(folder), key=lambda path: first.get(path.name, 5))


def _send_file(
    path: Path, name: str, server: Client, bar: Any, there: dict[str, str],
    tell: Callable[[dict[str, Any]], None],
) -> None:  # fmt: skip
    from seedlock.evaluation.file_digests import digest_of

    if there.get(path.name) == digest_of(path).digest.removeprefix("sha256:"):
        return
    bar.of(name).begin(path.name, path.stat().st_size)
    with path.open("rb") as file:
        answer = server.send(
            "PUT", "rounds", name, "files", path.name, file=file, kind="application/octet-stream",
            advanced=bar.advance,
        )  # fmt: skip
    tell({"file": path.name, "how": answer["how"], "size": answer["size"]})


def _send_records(
    folder: Path, name: str, server: Client, bar: Any, tell: Callable[[dict[str, Any]], None]
) -> list[str]:
    """Send records, small ones together; return those that are not here."""
    lacking = [each["record"] for each in server.get("rounds", name, "lacking-records")["records"]]
    here = [each for each in lacking if (folder / each).is_file()]
    number = 0
    for paths in _batches(folder, here):
        number += len(paths)
        bar.of(name).begin(f"record {number} of {len(here)}", None)
        # Scores are worked out anew after the last ones, not after each.
        more = number < len(here)
        hows = _send_some([folder / each for each in paths], name, server, more)
        for path, how in zip(paths, hows, strict=True):
            tell({"file": path, "how": how, "size": (folder / path).stat().st_size})
    return sorted(set(lacking) - set(here))


def _batches(folder: Path, paths: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for path in paths:
        # Quotes and line ends take two bytes in JSON.
        this = 2 * (folder / path).stat().st_size + ENVELOPE
        if batch and (size + this > BATCH or len(batch) == TOGETHER):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += this
    if batch:
        yield batch


def _send_some(paths: list[Path], name: str, server: Client, more: bool) -> list[str]:
    texts = _texts(paths)
    if texts is not None:
        records = [
            {"submission": path.parent.name, "file": path.name, "text": text}
            for path, text in zip(paths, texts, strict=True)
        ]
        content = {"records": records, "more": more}
        return list(server.post("rounds", name, "records", content=content)["hows"])
    hows = []
    for number, path in enumerate(paths, 1):
        with path.open("rb") as file:
            answer = server.send(
                "PUT", "rounds", name, "records", path.parent.name, path.name, file=file,
                kind="application/json",
                parameters={"more": "true" if more or number < len(paths) else "false"},
            )  # fmt: skip
        hows.append(answer["how"])
    return hows


def _texts(paths: list[Path]) -> list[str] | None:
    """Return what stands in files; None where they are too large to go together, or no text."""
    import json

    if sum(path.stat().st_size for path in paths) > BATCH:
        return None
    try:
        texts = [path.read_bytes().decode() for path in paths]
    except UnicodeDecodeError:
        return None  # the server says what is wrong with it
    return texts if len(json.dumps(texts)) + ENVELOPE * len(texts) <= BATCH else None
