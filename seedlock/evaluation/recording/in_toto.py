"""A record as an in-toto statement with a SLSA provenance predicate.

Statement: in-toto attestation framework, v1 (github.com/in-toto/attestation, spec/v1/statement.md).
Predicate: SLSA provenance v1 (slsa.dev/spec/v1.0/provenance): a training is a build whose results
are its artifacts. The statement is not signed here; whoever publishes it signs it.
"""

from __future__ import annotations

import json
from typing import Any

from seedlock.evaluation.file_digests import PREFIX

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:seedlock:run:v1"
"""Names the meaning of the parameters: those of docs/records.md. An identifier, not a page."""

BUILDER = "urn:seedlock"


def statement(record: dict[str, Any], name: str, digest: str) -> dict[str, Any]:
    """Return the statement, JSON-ready.

    Args:
        record: a complete record.
        name: the record's file name, the first subject; each output is a further one.
        digest: the file's digest, `sha256:HEX`.

    Raises:
        ValueError: it is no valid statement, which the library finds.
    """
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement import Statement

    subjects = [ResourceDescriptor(name=name, digest=_digest(digest)).pb]
    for each in record["outputs"]:
        subjects.append(ResourceDescriptor(name=each["path"], digest=_digest(each["sha256"])).pb)
    predicate = json_format.ParseDict(_predicate(record), provenance_pb2.Provenance())
    made = Statement(subjects, PREDICATE, json_format.MessageToDict(predicate))
    made.validate()
    content: dict[str, Any] = json.loads(json_format.MessageToJson(made.pb))
    return content


def _predicate(record: dict[str, Any]) -> dict[str, Any]:
    usage, trace = record["usage"], record["trace"]
    byproducts = []
    if trace is not None:
        byproducts.append({"name": "trace", "digest": _digest(trace["digest"])})
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "command": record["command"],
                # As text: a JSON number of the protobuf kind loses bits above 2**53.
                "seed": str(record["seed"]),
                "level": record["level"],
                "scheme": record["scheme"],
                "settings": record["settings"],
                "metrics": record["metrics"]["declared"],
            },
            "internalParameters": {
                "environment": record["environment"],
                "outcome": record["outcome"]["class"],
                "final": record["metrics"]["final"],
            },
            "resolvedDependencies": list(_dependencies(record)),
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"seedlock": record["seedlock"]}},
            "metadata": {
                "invocationId": f"{record['seed']}@{usage['started']}",
                "startedOn": usage["started"],
                "finishedOn": usage["finished"],
            },
            "byproducts": byproducts,
        },
    }


def _dependencies(record: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    image, source, lock = record["image"], record["source"], record["lock"]
    if source is not None:
        digest = _digest(source["digest"])
        if source["revision"] and not source["dirty"]:
            digest["gitCommit"] = source["revision"]
        found.append({"name": "source", "digest": digest})
    if image is not None and image["id"].startswith(PREFIX):
        found.append({"name": image["name"], "digest": _digest(image["id"])})
    if lock is not None:
        found.append({"name": "lock", "digest": _digest(lock["sha256"])})
    found += [{"name": each["name"], "digest": _digest(each["sha256"])} for each in record["data"]]
    return found


def _digest(text: str) -> dict[str, str]:
    return {"sha256": text.removeprefix(PREFIX)}
