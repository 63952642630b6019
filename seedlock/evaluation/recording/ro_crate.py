"""A record as an RO-Crate, by the Process Run profile of the Workflow Run RO-Crate family.

Profile: w3id.org/ro/wfrun/process/0.5. A run is a `CreateAction` whose `instrument` is the
program, whose `object` is what went in and whose `result` is what came out.
"""

from __future__ import annotations

import json
import mimetypes
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from rocrate.rocrate import ROCrate

METADATA, RECORD, OUTPUT = "ro-crate-metadata.json", "record.json", "output"
"""Files of a crate, and its folder with the run's outputs."""

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

TERMS = {"sha256": "http://schema.org/sha256"}
"""Of schema.org, and younger than RO-Crate 1.1's context: a crate says itself what they are
(researchobject.org/ro-crate/1.1/appendix/jsonld.html#extending-ro-crate)."""

COMPLETED = "http://schema.org/CompletedActionStatus"
FAILED = "http://schema.org/FailedActionStatus"


def write(record: dict[str, Any], file: Path, folder: Path) -> None:
    """Write a crate: the record, the run's outputs where they are still there, and the metadata.

    Args:
        record: content of a complete record.
        file: the record's file; its artifacts are looked for beside it.
        folder: where the crate is made, new or empty.

    Raises:
        OSError: it can't be written.
    """
    base = file.parent / record["artifacts"] / "run" / OUTPUT if record["artifacts"] else None
    _crate(record, file, base).write(folder)


def metadata(record: dict[str, Any], folder: Path) -> bytes:
    """Return the metadata of a crate of a record with the outputs that a crate's folder has.

    It is what `write` put there with these outputs, byte for byte (rocrate.model.Metadata.stream).
    """
    content = _crate(record, folder / RECORD, folder / OUTPUT).metadata.generate()
    return json.dumps(content, indent=4, sort_keys=True, ensure_ascii=False).encode()


def _crate(record: dict[str, Any], file: Path, base: Path | None) -> ROCrate:
    from rocrate.model import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    crate.name = f"Run under seed {record['seed']}: {shlex.join(record['command'])}"
    crate.description = "A training run, its seed, source, data, machine and results (seedlock)."
    crate.root_dataset["conformsTo"] = crate.add(
        ContextEntity(crate, PROFILE, {"@type": "CreativeWork", "name": "Process Run Crate",
                                       "version": "0.5"})
    )  # fmt: skip
    crate.root_dataset["datePublished"] = record["usage"]["finished"]
    crate.root_dataset["license"] = crate.add(
        ContextEntity(crate, "#license", {"@type": "CreativeWork", "name": "unknown",
                                          "description": "ask whoever made the run"})
    )  # fmt: skip
    described = crate.add_file(
        file, RECORD, properties={
            "name": "record of the run", "encodingFormat": "application/json",
            "description": "docs/records.md of seedlock says what each key means",
        },
    )  # fmt: skip
    program = crate.add(ContextEntity(crate, "#program", _program(record)))
    results = [described, *_outputs(crate, record, base)]
    inputs = [crate.add(ContextEntity(crate, f"#{name}", each)) for name, each in _inputs(record)]
    action = crate.add(ContextEntity(crate, "#run", _action(record)))
    action["instrument"] = program
    action["object"] = inputs
    action["result"] = results
    crate.root_dataset["mentions"] = action
    return crate


def _action(record: dict[str, Any]) -> dict[str, Any]:
    done = record["outcome"]["class"] == "done"
    found = {
        "@type": "CreateAction",
        "name": f"run under seed {record['seed']}",
        "description": shlex.join(record["command"]),
        "startTime": _moment(record["usage"]["started"]),
        "endTime": _moment(record["usage"]["finished"]),
        "actionStatus": COMPLETED if done else FAILED,
    }
    if not done:
        found["error"] = "; ".join([record["outcome"]["class"], *record["outcome"]["reasons"]])
    return found


def _moment(text: str) -> str:
    # The profile's validator (roc-validator 0.13.0) takes whole seconds.
    return f"{text[:19]}+00:00"


def _program(record: dict[str, Any]) -> dict[str, Any]:
    source = record["source"] or {}
    version = source.get("revision") or source.get("digest") or (record["image"] or {}).get("id")
    return {
        "@type": "SoftwareApplication",
        "name": shlex.join(record["command"]),
        "softwareVersion": version or "unknown",
    }


def _inputs(record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [("seed", _value("REPRO_SEED", str(record["seed"])))]
    found += [
        (f"setting-{name}", _value(name, str(value)))
        for name, value in record["settings"].items() if value is not None
    ]  # fmt: skip
    if record["image"] is not None:
        found.append(("image", _value("image", record["image"]["id"])))
    found += [
        (f"data-{each['name']}", _value(each["name"], each["sha256"])) for each in record["data"]
    ]
    return found


def _value(name: str, value: str) -> dict[str, Any]:
    return {"@type": "PropertyValue", "name": name, "value": value}


def _outputs(crate: ROCrate, record: dict[str, Any], base: Path | None) -> list[Any]:
    found = []
    for each in record["outputs"]:
        name = f"{OUTPUT}/{each['path']}"
        there = base is not None and (base / each["path"]).is_file()
        properties = {
            "name": each["path"], "contentSize": str(each["size"]),
            "sha256": each["sha256"].removeprefix("sha256:"),
            "encodingFormat": mimetypes.guess_type(each["path"])[0] or "application/octet-stream",
        }  # fmt: skip
        if there and base is not None:
            found.append(crate.add_file(base / each["path"], name, properties=properties))
        else:  # known by its digest only: no part of the crate
            from rocrate.model import ContextEntity

            digest = {"@type": "CreativeWork", **properties}
            found.append(crate.add(ContextEntity(crate, f"#{name}", digest)))
    return found
