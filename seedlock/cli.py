"""The command line: `seedlock env`, `seedlock run` and what seedlock.evaluation adds."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

from seedlock import __version__, machine, registry, settings
from seedlock.derivation import SCHEME, STREAMS, stream_seed
from seedlock.environment import leave_lock, settled
from seedlock.errors import BadSetting, SeedlockError
from seedlock.evaluation import (
    apptainer_command,
    checklist_command,
    data_command,
    diff_command,
    evaluate_command,
    full_disk,
    kubernetes_command,
    ledger_command,
    manifest_command,
    reference_command,
    round_command,
    status_command,
    unit_command,
    verify_command,
    watch_command,
)
from seedlock.evaluation.recording import export_command, run_command, show_command
from seedlock.evaluation.replaying import bundle_command, replay_command
from seedlock.evaluation.spot_checks import sign_command, spot_check_command
from seedlock.evaluation.submission import check_command
from seedlock.hash_seed import keep_addresses
from seedlock.leaderboard import board_command, serve_command, submit_command
from seedlock.registry import REGISTRY
from seedlock.startup import EXIT_CONFIG, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

EXIT_DRIFT = 1
"""`seedlock env` found a locked package in another version."""

EXIT_INTERRUPTED = 130

EXIT_NOT_FOUND = 127
EXIT_NOT_EXECUTABLE = 126
"""As a shell says them."""

BY_HAND = {
    "python.hash": "PYTHONHASHSEED={} python ...",
    "python": "random.seed({})",
    "numpy": "numpy.random.seed({})",
    "torch": "torch.manual_seed({})",
    "tensorflow": "tf.random.set_seed({})",
    "keras": "keras.utils.set_random_seed({})",
    "mxnet": "mxnet.random.seed({})",
    "jax": "JAX_RANDOM_SEED_OFFSET={} python ...",
}
"""How to set each stream's seed without seedlock. Keras first: its call seeds `random`, NumPy and
TensorFlow as well."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        with full_disk.naming("standard output"):
            sys.stdout.flush()
    except SeedlockError as problem:
        refuse(problem)
        raise
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _silence()
        return 0
    except OSError as problem:
        if not (full_disk.no_room(problem) or full_disk.of_a_path(problem)):
            raise
        if sys.flags.dev_mode:
            raise  # python -X dev shows where
        print(full_disk.told(problem), file=sys.stderr)
        if full_disk.no_room(problem):
            _silence()
        return full_disk.EXIT_DISK_FULL
    return status


def _silence() -> None:
    """Let the interpreter's end flush what nobody takes to where everything goes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if message.endswith("required: COMMAND"):
            self.print_help(sys.stderr)
            self.exit(2)
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="seedlock",
        description="One outside seed decides every random number of a training run.",
        epilog=f"Exit status {EXIT_CONFIG}: a setting is not allowed or a run can't be locked, "
        f"and nothing was started. {full_disk.EXIT_DISK_FULL}: a disk is full, or a file or "
        "folder can't be used. Each message is explained in docs/messages.md.",
    )
    parser.add_argument("--version", action="version", version=f"seedlock {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    env = commands.add_parser(
        "env",
        help="show installed versions against the lock, and a seed's derived values",
        description="Show what is installed, what the lock names, and, for a seed, the value of "
        "each library's stream with the call that sets it by hand.",
        epilog=f"Exit status {EXIT_DRIFT}: a locked package is missing or has another version.",
    )
    env.add_argument("--seed", metavar="N", help="root seed, 0 to 2**64 - 1 (default: REPRO_SEED)")
    env.add_argument(
        "--streams",
        choices=settings.STREAM_MODES,
        default=os.environ.get(settings.STREAMS, "derived"),
        help="derive each library's seed, or hand each the same (default: REPRO_STREAMS)",
    )
    env.add_argument("--json", action="store_true", help="print JSON")
    env.set_defaults(command=_env)

    run = commands.add_parser(
        "run",
        help="run a command under a seed",
        description="Check the settings, set the environment and become the command.",
        usage="seedlock run [--seed N] [--level LEVEL] [--user-seeds POLICY] [--report DIR] "
        "[--trace MODE] [--record FILE [OPTIONS]] [--] COMMAND [ARG ...]",
        epilog=run_command.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("--seed", metavar="N", help="root seed, 0 to 2**64 - 1 (default: REPRO_SEED)")
    run.add_argument(
        "--level", help=f"one of {', '.join(settings.LEVELS)} (default: REPRO_LEVEL or strict)"
    )
    run.add_argument(
        "--streams",
        help=f"one of {', '.join(settings.STREAM_MODES)} (default: REPRO_STREAMS or derived)",
    )
    run.add_argument(
        "--user-seeds",
        metavar="POLICY",
        help=f"one of {', '.join(settings.USER_SEED_POLICIES)} (default: REPRO_USER_SEEDS or mix)",
    )
    run.add_argument(
        "--entropy",
        metavar="MODE",
        help=f"one of {', '.join(settings.ENTROPY_MODES)} (default: REPRO_ENTROPY or count)",
    )
    run.add_argument("--report", metavar="DIR", help="folder for reports (default: REPRO_REPORT)")
    run_command.add_options(run)
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND", help=argparse.SUPPRESS)
    run.set_defaults(command=_run)
    for each in (
        verify_command, diff_command, show_command, export_command, data_command, manifest_command,
        replay_command, bundle_command, check_command, reference_command, round_command,
        evaluate_command, unit_command, apptainer_command, status_command, ledger_command,
        sign_command, spot_check_command, kubernetes_command, checklist_command, watch_command,
        submit_command, board_command, serve_command,
    ):  # fmt: skip
        each.add(commands)
    return parser


def _env(options: argparse.Namespace) -> int:
    path = registry.lock_file(os.environ.get(settings.LOCK_FILE) or None)
    locked = registry.locked_versions(path)
    known = {name: entry for entry in REGISTRY for name in entry.distributions}
    installed = registry.installed_versions({*locked, *known})
    packages = {
        name: {"installed": installed.get(name), "locked": locked.get(name)}
        for name in sorted({*installed, *locked})
    }
    drift = [name for name, of in packages.items() if of["locked"] not in (None, of["installed"])]
    content: dict[str, object] = {
        "seedlock": __version__,
        "scheme": SCHEME,
        "lock_file": path,
        "packages": packages,
        "drift": drift,
        "machine": machine.facts(),
    }
    text = options.seed if options.seed is not None else os.environ.get(settings.SEED)
    if text is not None:
        checked = settings.Settings({settings.SEED: text, settings.STREAMS: options.streams})
        content["seed"] = checked.seed
        content["streams"] = {
            name: {
                "seed": stream_seed(checked.seed, name, checked.streams),
                "by_hand": BY_HAND[name].format(stream_seed(checked.seed, name, checked.streams)),
            }
            for name in STREAMS
        }
    print(json.dumps(content, indent=1) if options.json else _readable(content))
    return EXIT_DRIFT if drift else 0


def _readable(content: dict[str, object]) -> str:
    packages, facts, drift = content["packages"], content["machine"], content["drift"]
    assert isinstance(packages, dict) and isinstance(facts, dict) and isinstance(drift, list)
    lines = [
        f"seedlock {content['seedlock']}, derivation scheme {content['scheme']}",
        f"Python {facts['python']} on {facts['system']}",
        f"CPU {facts['cpu'].get('model') or facts['cpu']['machine']}; "
        + (", ".join(device.get("name", "GPU") for device in facts["gpu"]["devices"]) or "no GPU"),
        "",
    ]
    frameworks = [name for entry in REGISTRY for name in entry.distributions if name in packages]
    lines.append(f"{'library':<16} {'installed':<14} {'locked':<14}")
    for name in [*frameworks, *(each for each in drift if each not in frameworks)]:
        of = packages[name]
        mark = "  DRIFT" if name in drift else ""
        lines.append(f"{name:<16} {of['installed'] or '-':<14} {of['locked'] or '-':<14}{mark}")
    if content["lock_file"] is None:
        lines.append("no lock file in force: versions are shown, not checked")
    else:
        held = sum(of["locked"] is not None for of in packages.values())
        lines.append(
            f"{held} packages locked by {content['lock_file']}, "
            + (f"{len(drift)} drifted: {', '.join(drift)}" if drift else "none drifted")
        )
    streams = content.get("streams")
    if isinstance(streams, dict):
        lines += ["", f"root seed {content['seed']}", f"{'stream':<12} {'seed':>20}  by hand"]
        lines += [
            f"{name:<12} {stream['seed']:>20}  {stream['by_hand']}"
            for name, stream in streams.items()
        ]
        lines.append("by hand, call Keras first: it seeds random, NumPy and TensorFlow as well")
    return "\n".join(lines)


def _run(options: argparse.Namespace) -> int:
    if options.record is not None:
        leave_lock()
    environ = dict(os.environ)
    given = options.seed if options.seed is not None else environ.pop(settings.RUN_SEED, None)
    for name, value in (
        (settings.SEED, given),
        (settings.LEVEL, options.level),
        (settings.STREAMS, options.streams),
        (settings.USER_SEEDS, options.user_seeds),
        (settings.ENTROPY, options.entropy),
        (settings.REPORT, options.report),
    ):
        if value is not None:
            environ[name] = value
    if settings.SEED not in environ:
        raise BadSetting(
            settings.SEED, "", settings.SEED_ALLOWED, "give --seed or set REPRO_SEED", "bad-seed"
        )
    if options.record is None:
        environ = settled(run_command.traced(options, environ))
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    problem = None if options.record is not None else run_command.problem_without_record(options)
    if not argv:
        problem = "no command given; say seedlock run --seed 7 -- python train.py"
    if problem is not None:
        print(f"seedlock run: {problem}", file=sys.stderr)
        return 2
    return run_command.run(options, argv, environ) if options.record else _become(argv, environ)


def _become(argv: list[str], environ: dict[str, str]) -> int:
    program = shutil.which(argv[0], path=environ.get("PATH"))
    if program is None:
        print(f"seedlock run: {argv[0]}: command not found", file=sys.stderr)
        return EXIT_NOT_FOUND
    # The function itself, not what takes its place under a lock: the program stands where it
    # would without `seedlock run`.
    if environ.get(settings.LEVEL) != settings.WATCH:
        keep_addresses()
    execve: Callable[..., NoReturn] = getattr(os.execve, "__wrapped__", os.execve)
    try:
        execve(program, argv, environ)
    except OSError as problem:
        print(f"seedlock run: {program}: {problem.strerror}", file=sys.stderr)
        return EXIT_NOT_EXECUTABLE
