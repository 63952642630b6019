"""A reference model as a submission: its program, what it shares with others, a submission.toml."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

from seedlock.evaluation.evaluating.entries import Entry
from seedlock.evaluation.file_digests import digest_of, of_listing
from seedlock.evaluation.recording import source
from seedlock.evaluation.reference.models_file import SHARED
from seedlock.evaluation.sealing.limits import Limits
from seedlock.evaluation.submission import submission_file

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.reference.models_file import Model, Models

LIMITS = Limits(processors=1.0, seconds=600.0)
"""Each run has one processor, so that two cores train two models; the time is a stop for what
hangs, ten times what a model may take on two idle cores."""

OPERATIONS = ".op"
"""Ending of the name of the submission whose one run has its operations traced."""

SUBMISSION = """\
name = {name}
command = {command}
visibility = "public"
[image]
name = "conference/repro-base"
[metrics.{metric}]
direction = "{direction}"
"""


def program_digest(models: Models, model: Model) -> str:
    """Return the digest of a model's files, by the rule for folders (docs/records.md).

    Raises:
        OSError, NotDigestible: one can't be read, or has a name that can't stand in a listing.
    """
    return of_listing(
        {name: digest_of(path).digest for name, path in _files(models, model).items()}.items()
    )


def stage(models: Models, model: Model, place: Path, op_steps: int | None = None) -> Entry:
    """Make a model's submission.

    Args:
        models: of whose file the model is.
        model: which.
        place: folder for all submissions; what it holds of this name is replaced.
        op_steps: how many first steps have their operations traced; None for a plain run.

    Returns:
        what an evaluation takes.

    Raises:
        OSError, NotDigestible: a file can't be read or written, or has no digest.
    """
    name = model.name if op_steps is None else f"{model.name}{OPERATIONS}"
    folder = place / name
    shutil.rmtree(folder, ignore_errors=True)
    for file, path in _files(models, model).items():
        to = folder / file
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
    words = [sys.executable if each == "python" else each for each in model.command]
    text = SUBMISSION.format(
        name=json.dumps(name), command=json.dumps(words), metric=json.dumps(model.task.metric),
        direction=model.task.direction,
    )  # fmt: skip
    (folder / submission_file.NAME).write_text(text, encoding="utf-8")
    submission = submission_file.read(folder)
    digest = source.look(folder, known=frozenset()).digest
    entry = Entry(submission, digest, LIMITS, submission.metrics, in_git=False)
    if op_steps is not None:
        entry.trace, entry.trace_steps = "op", f"0:{op_steps}"
    return entry


def _files(models: Models, model: Model) -> dict[str, Path]:
    """Return a model's files by their names in its submission."""
    found = {model.program: models.programs / model.program}
    shared = models.programs / SHARED
    for path in sorted(shared.rglob("*")):
        relative = path.relative_to(models.programs)
        if path.is_file() and not source.PASSED_OVER & set(relative.parts):
            found[relative.as_posix()] = path
    return found
