"""`seedlock replay` on the command line: its options, and which output goes where."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.environment import leave_lock
from seedlock.evaluation import option_values

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.replaying.request import Asked

EXIT_USAGE = 2
EXIT_DISK = 74
EXIT_INTERRUPTED = 130

EPILOG = """\
Checks that image or lock, source and data are those of the record, runs its command under its
seed, level and policies, and compares outputs, traces and metrics. The replay gets a record too.

  seedlock replay run.json
  seedlock replay run.json --tolerance accuracy=0.001 --tolerance loss=1%
  seedlock replay run.tar.gz --output again

exit status:
    0  IDENTICAL
    1  DIFFERENT: the outputs, the trace or how the program ended
    2  the command line is wrong
    3  WITHIN TOLERANCE: the metrics are, other bits differ
    4  NOT COMPARABLE: nothing may be said, as the recorded run or the replay came to no end
   74  a file could not be read or written, as on a full disk
   78  NOT MATCHING: what is here is not what the record says (--anyway goes on); or the record or
       the bundle is none, or was changed. Nothing was started
  130  interrupted

docs/records.md has the rules and samples of the output.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "replay",
        help="run a recorded run again and compare the bits",
        description="Run a recorded run again, from its record or a bundle, and compare the bits.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", metavar="RECORD", help="a record, or what seedlock bundle wrote")
    running = parser.add_argument_group("runs")
    way = running.add_mutually_exclusive_group()
    way.add_argument("--image", action="store_true", help="in the record's image, by its id")
    way.add_argument(
        "--here", action="store_true", help="without a container (default: as the record's run)"
    )
    running.add_argument(
        "--anyway", action="store_true", help="go on where something is not what the record says"
    )
    running.add_argument(
        "--source", metavar="DIR",
        help="folder of the program (default: that of the run, seen from this folder)",
    )  # fmt: skip
    running.add_argument(
        "--data", action="append", default=[], metavar="DIR|LOCK",
        help="a folder that holds declared sets by their names, or a data.lock whose sets were "
        "fetched (default: REPRO_DATA, then data.lock in the source)",
    )  # fmt: skip
    running.add_argument(
        "--unsealed", action="store_true",
        help="don't seal the replay of a sealed run (default: sealed, within the recorded limits)",
    )  # fmt: skip
    running.add_argument(
        "--accept", action="append", default=[], metavar="PROMISE",
        help="a promise of the seal that the replay can do without, as memory",
    )  # fmt: skip
    running.add_argument(
        "--mount", action="append", default=[], metavar="HOST:CONTAINER",
        help="in place of what the record's run had at CONTAINER",
    )  # fmt: skip
    running.add_argument(
        "--timeout", metavar="SECONDS", help="end a run that takes longer (default: the record's)"
    )
    results = parser.add_argument_group("results")
    results.add_argument(
        "--tolerance", action="append", default=[], metavar="METRIC=ABS|REL%%",
        help="how far a metric may be from the recorded one: a difference, or a percentage",
    )  # fmt: skip
    results.add_argument(
        "--output", metavar="DIR",
        help="folder for the replay, new or empty, outside of an exported board; of a bundle also "
        "for its files (default: NAME-replay-N in this folder, after the record or bundle)",
    )  # fmt: skip
    results.add_argument("--json", action="store_true", help="print the result as JSON")
    results.add_argument("--verbose", action="store_true", help="print all differences")
    parser.set_defaults(command=_replay)


def _replay(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import RECORD, require

    require(RECORD)
    from seedlock.evaluation.file_digests import NotDigestible

    try:
        asked = _asked(options)
        return _refuse(asked) if isinstance(asked, str) else _carried_out(asked, options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except NotDigestible as problem:
        return _refuse(f"the source can't have a digest: {problem}")
    except OSError as problem:
        where = problem.filename or options.record
        print(f"seedlock replay: {where}: {problem.strerror or problem}", file=sys.stderr)
        return EXIT_DISK


def _carried_out(asked: Asked, options: argparse.Namespace) -> int:
    from rich.console import Console

    from seedlock.evaluation.progress import Progress
    from seedlock.evaluation.replaying.replay import replay
    from seedlock.evaluation.replaying.replay_text import text
    from seedlock.evaluation.writing import write_text

    progress = Progress(Console(stderr=True))
    with progress:
        result: dict[str, Any] = replay(asked, os.environ, progress.show)
    if options.output is None and asked.output.is_dir():
        # It may lie beside the program, where git tells what is handed in.
        write_text(str(asked.output / ".gitignore"), "*\n")
    if options.json:
        import json

        print(json.dumps(result, indent=1, sort_keys=True))
    else:
        print(text(result, options.verbose))
    status: int = result["exit_status"]
    return status


def _asked(options: argparse.Namespace) -> Asked | str:
    from seedlock.evaluation import container_engine
    from seedlock.evaluation.file_digests import digest_of
    from seedlock.evaluation.recording.run_data import FOLDER
    from seedlock.evaluation.replaying import seal_again, sets
    from seedlock.evaluation.replaying.tolerance import ALLOWED, tolerances
    from seedlock.evaluation.replaying.unpacking import is_bundle
    from seedlock.evaluation.sealing.guarantees import accepted

    allowed = tolerances(options.tolerance)
    if allowed is None:
        return f"--tolerance {' '.join(options.tolerance)}: allowed: {ALLOWED}"
    seconds = None if options.timeout is None else option_values.seconds(options.timeout)
    if options.timeout is not None and seconds is None:
        return f"--timeout is {options.timeout!r}; allowed: a number of seconds above 0"
    try:
        mounts = container_engine.mounts(options.mount)
    except container_engine.EngineError as refusal:
        return str(refusal)
    file = Path(options.record).absolute()
    bundled = is_bundle(file)
    if bundled and options.source is not None:
        return "--source: a bundle brings its source; allowed: with a record only"
    asked = _of_bundle(options, file) if bundled else _of_record(options, file)
    if isinstance(asked, str):
        return asked
    asked.record_sha256 = digest_of(asked.record).digest
    asked.tolerances, asked.timeout, asked.mounts = allowed, seconds, mounts
    asked.anyway = options.anyway
    folders, locks = sets.named(options.data, os.environ)
    # What the run itself was given comes after what is named.
    asked.data += [*folders, asked.artifacts / FOLDER]
    asked.locks += [*locks, asked.source / sets.LOCK]
    content = asked.content
    sealed = seal_again.was_sealed(content)
    if not sealed and (options.unsealed or options.accept):
        return "--unsealed and --accept: the record is of a run that was not sealed; leave them out"
    asked.sealed, asked.accept = sealed and not options.unsealed, accepted(options.accept)
    if options.image and content["image"] is None:
        return "--image: the record is of a run without one; allowed: --here"
    asked.image = content["image"] is not None and not options.here
    if mounts and not asked.image:
        return "--mount: allowed with an image only"
    known = content.get("metrics", {}).get("final", {})
    for name in allowed:
        if known and name not in known:
            return f"--tolerance {name}: the record has {', '.join(known)}; allowed: one of these"
    return asked


def _of_record(options: argparse.Namespace, file: Path) -> Asked | str:
    from seedlock.evaluation.recording.record import load
    from seedlock.evaluation.replaying.output_folder import output_folder
    from seedlock.evaluation.replaying.request import Asked, artifacts_of, source_of

    content = load(file)
    artifacts = artifacts_of(file, content)
    source = Path(os.path.abspath(options.source)) if options.source else source_of(content)
    if not source.is_dir():
        return f"--source {options.source}: no such folder"
    output = output_folder(options.output, file.stem)
    return output if isinstance(output, str) else Asked(file, content, artifacts, source, output)


def _of_bundle(options: argparse.Namespace, file: Path) -> Asked | str:
    from rich.console import Console

    from seedlock.evaluation.replaying.manifest import RECORD
    from seedlock.evaluation.replaying.output_folder import output_folder
    from seedlock.evaluation.replaying.progress import Bytes
    from seedlock.evaluation.replaying.request import Asked
    from seedlock.evaluation.replaying.unpacking import unpack

    output = output_folder(options.output, file.name.partition(".")[0])
    if isinstance(output, str):
        return output
    with Bytes(Console(stderr=True), "unpacking") as progress:
        found = unpack(file, output / "bundle", progress.show)
    folder = found.folder
    return Asked(
        folder / RECORD, found.content, folder / "artifacts", folder / "source", output,
        found.known, True, [folder / "data"],
    )  # fmt: skip


def _refuse(problem: str) -> int:
    print(f"seedlock replay: {problem}", file=sys.stderr)
    return EXIT_USAGE
