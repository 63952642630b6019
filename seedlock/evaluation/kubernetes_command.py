"""`seedlock kubernetes` on the command line: manifests of a round's runs, and their results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock
from seedlock.evaluation import option_values

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.engines.base import Unit
    from seedlock.evaluation.engines.kubernetes import Cluster
    from seedlock.evaluation.evaluating.entries import Entry
    from seedlock.evaluation.rounds.ceremony import Round

EXIT_USAGE, EXIT_WAITING = 2, 75

EPILOG = """\
  seedlock kubernetes ROUND SUBMISSION... --image REF --claim NAME --volume DIR --manifest jobs.json
  kubectl apply -f jobs.json     # holds the seeds: mode 0600, remove it afterwards
  seedlock kubernetes ROUND SUBMISSION... --volume DIR --collect

exit status: 0 done; 2 the command line is wrong; 74 a full disk; 75 runs have no result yet;
78 the round, a submission or the cluster's names are not what they should be.

No cluster has run these manifests. docs/kubernetes.md says what they hold, and what not.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "kubernetes",
        help="write a round's runs as Kubernetes Jobs, and collect their results",
        description="Write manifests for a round's runs, or collect what they left in the volume.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("round", metavar="ROUND", help="the round's folder, after its draw")
    parser.add_argument(
        "submissions", nargs="+", metavar="SUBMISSION", help="folder with a submission.toml"
    )
    parser.add_argument(
        "--volume", required=True, metavar="DIR", help="where the claim's volume is mounted here"
    )
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--manifest", metavar="FILE", help="write manifests into this new file")
    way.add_argument("--collect", action="store_true", help="take what the runs left")
    parser.add_argument(
        "--over", action="store_true",
        help="with --collect: no Job goes on; a run without a record failed by the machine",
    )  # fmt: skip
    cluster = parser.add_argument_group("the cluster, with --manifest")
    cluster.add_argument(
        "--image", action="append", default=[], metavar="[SUBMISSION=]REF",
        help="image as NAME@sha256:HEX, of one submission or of all others",
    )  # fmt: skip
    cluster.add_argument("--claim", metavar="NAME", help="PersistentVolumeClaim of the volume")
    cluster.add_argument("--namespace", default="seedlock", help="default: seedlock")
    cluster.add_argument("--parallel", default="1", metavar="N", help="runs of each submission")
    cluster.add_argument("--gpus", default="0", metavar="N", help="NVIDIA GPUs for each run")
    cluster.add_argument("--user", default="1000", metavar="N", help="number of the runs' user")
    cluster.add_argument("--runtime-class", metavar="NAME", help="as of a sandbox")
    parser.add_argument(
        "--ledger", metavar="URL", help="a file or a database's URL (default: ROUND/ledger.db)"
    )
    parser.set_defaults(command=_kubernetes)


def _kubernetes(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import LEDGER, ROUND, require

    require({**ROUND, **LEDGER})
    from seedlock.evaluation.evaluating.entries import entries
    from seedlock.evaluation.evaluating.preparing import refuse_revealed
    from seedlock.evaluation.rounds.ceremony import Round

    this = Round(Path(options.round).resolve())
    this.draw()
    refuse_revealed(this)
    folders = [Path(each).resolve() for each in options.submissions]
    found = entries(this.freeze()["submissions"], folders, this.policy)
    return _collect(options, this, found) if options.collect else _write(options, this, found)


def _write(options: argparse.Namespace, this: Round, found: list[Entry]) -> int:
    import json

    from seedlock.evaluation.engines.kubernetes import manifests
    from seedlock.evaluation.engines.kubernetes_volume import prepare
    from seedlock.evaluation.recording import source
    from seedlock.evaluation.rounds import passphrase
    from seedlock.evaluation.rounds.round_files import put_bytes

    wanted = [each for each in found if not each.refused]
    clusters = _clusters(options, this, wanted)
    if isinstance(clusters, str):
        return _refuse(clusters)
    if options.over or options.claim is None or not wanted:
        return _refuse("--manifest: say --claim NAME, not --over, and submissions that can be run")
    volume, file = Path(options.volume).resolve(), Path(options.manifest)
    if file.exists():
        return _refuse(f"--manifest {file} is there already; allowed: a new file")
    seeds = this.seeds(passphrase.of_secret(this.passphrase_needed))
    items = []
    for each in wanted:
        items += manifests(_units(this, each, seeds), clusters[each.submission.name])
    for each in wanted:
        of, cluster = each.submission, clusters[each.submission.name]
        tries = [f"{index}-{failed}" for index in range(len(seeds))
                 for failed in range(cluster.retries + 1)]  # fmt: skip
        try:
            prepare(volume, of.name, of.folder, source.look(of.folder).files, tries, cluster.user)
        except FileExistsError as problem:
            return _refuse(f"{problem.filename} is there already; allowed: a volume without it")
    content = {"apiVersion": "v1", "kind": "List", "items": items}
    put_bytes(file, f"{json.dumps(content, indent=1)}\n".encode(), 0o600)
    for each in found:
        if each.refused:
            print(f"{each.submission.name}: not written: {each.refused}", file=sys.stderr)
    print(f"{file}: {len(wanted)} Jobs of {len(seeds)} runs; it holds the seeds")
    return 0


def _collect(options: argparse.Namespace, this: Round, found: list[Entry]) -> int:
    from seedlock.evaluation.evaluating.collecting import collect
    from seedlock.evaluation.evaluating.entries import enter
    from seedlock.evaluation.evaluating.session import EXPORTED
    from seedlock.evaluation.ledger.ledger import Ledger

    (this.folder / "runs").mkdir(mode=0o700, exist_ok=True)
    with Ledger.open(options.ledger or this.folder) as ledger:
        enter(ledger, this, found)
        refused = {each.digest: each.publicly_refused for each in found if each.refused}
        volume = Path(options.volume).resolve()
        came = collect(ledger, this.folder, volume, options.over, refused)
        ledger.export(str(this.folder / EXPORTED))
    print(f"{came.ended} attempts ended, {came.waiting} runs have no result yet")
    return EXIT_WAITING if came.waiting else 0


def _units(this: Round, entry: Entry, seeds: list[int]) -> list[Unit]:
    from seedlock.evaluation.engines.base import Unit

    policy, of = this.policy, entry.submission
    return [
        Unit(
            policy.name, policy.digest, entry.digest, of.name, str(of.folder), index, 1, seed,
            policy.level, entry.limits.as_dict(), "", "",
            metrics=tuple((each.name, each.direction, each.unit) for each in entry.metrics),
        )
        for index, seed in enumerate(seeds)
    ]  # fmt: skip


def _clusters(
    options: argparse.Namespace, this: Round, found: list[Entry]
) -> dict[str, Cluster] | str:
    from seedlock.evaluation.engines.kubernetes import Cluster

    numbers = {}
    for name, least in (("parallel", 1), ("gpus", 0), ("user", 1)):
        given = getattr(options, name)
        number = option_values.whole(given, least, 2**31 - 1)
        if number is None:
            return f"--{name} is '{given}'; allowed: a whole number from {least} to {2**31 - 1}"
        numbers[name] = number
    images = {name: ref for name, _, ref in (each.rpartition("=") for each in options.image)}
    clusters = {}
    for each in found:
        image = images.get(each.submission.name, images.get(""))
        if image is None:
            return f"{each.submission.name} has no image; say --image {each.submission.name}=REF"
        clusters[each.submission.name] = Cluster(
            options.namespace, options.claim or "", image, numbers["parallel"],
            this.policy.retries, numbers["gpus"], numbers["user"], options.runtime_class,
        )  # fmt: skip
    return clusters


def _refuse(problem: str) -> int:
    print(f"seedlock kubernetes: {problem}", file=sys.stderr)
    return EXIT_USAGE
