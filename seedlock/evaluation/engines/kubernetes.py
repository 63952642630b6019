"""Kubernetes: the runs of a submission as one Indexed Job, written as manifests.

seedlock talks to no cluster: `kubectl apply` does, with what is written here (docs/kubernetes.md).
An index is a seed's index; each try of it reads the unit of its attempt and writes into a folder of
its own. Facts are from kubernetes.io, "Jobs" and "Handling retriable and non-retriable pod failures
with Pod failure policy", v1.33 and later, which the manifests need.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadCluster, printable
from seedlock.evaluation.engines.base import AUTHORS, EXIT_STATUSES
from seedlock.evaluation.recording.record import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedlock.evaluation.engines.base import Unit

VERSION = "1.33"
"""The first in which backoffLimitPerIndex is stable (kubernetes.io/blog/2025/05/13)."""

CONTAINER = "run"
UNIT, RESULTS, SUBMISSION, DATA = "/unit/unit.json", "/results", "/submission", "/data"
"""Places inside a pod."""

INDEX, FAILED = "UNIT_INDEX", "UNIT_FAILED"
ANNOTATIONS = {
    INDEX: "batch.kubernetes.io/job-completion-index",
    FAILED: "batch.kubernetes.io/job-index-failure-count",
}
"""What the Job's controller writes on a pod: its index, and how many tries of it failed. Tries that
a disruption ended are not among them: the next one is the same attempt again."""

BAD_CONFIGURATION = 78
FINAL = (AUTHORS, BAD_CONFIGURATION, EXIT_STATUSES[LIMIT])
"""Exit statuses after which an index is not tried again: the author's failure and a limit are
results, and what is refused before its start is refused again."""

SPARE = 300
"""Seconds that a pod gets beyond the run's own: seedlock ends a run that takes too long and writes
its record; the pod's deadline is for when it can't."""

MOST_SECRET = 1 << 20
"""Bytes that a Secret may hold (kubernetes.io, "Secrets")."""

MOST_INDICES = 100_000
"""Completions of an Indexed Job with backoffLimitPerIndex (kubernetes.io, JobSpec)."""

_DIGEST = re.compile(r"[a-z0-9][a-z0-9._/:-]{0,255}@sha256:[0-9a-f]{64}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Cluster:
    """What the manifests take from the cluster.

    Attributes:
        namespace: where everything goes.
        claim: name of a PersistentVolumeClaim that all nodes can mount, for submissions, data and
            results.
        image: `NAME@sha256:HEX`, with the submission's environment and seedlock in it.
        parallelism: how many runs of a submission may go on at a time.
        retries: further attempts after a failure of the machine.
        gpus: of NVIDIA, for each run.
        user: number of the user and group that the runs have; not 0.
        runtime_class: name of a RuntimeClass, as of a sandbox; None for the cluster's own.
    """

    namespace: str
    claim: str
    image: str
    parallelism: int = 1
    retries: int = 2
    gpus: int = 0
    user: int = 1000
    runtime_class: str | None = None


def manifests(units: Sequence[Unit], cluster: Cluster) -> list[dict[str, Any]]:
    """Return the manifests for a submission's runs, in the order in which they are applied.

    Args:
        units: attempt 1 of each seed's index, from 0 on, all of one submission.
        cluster: where they run.

    Returns:
        A NetworkPolicy, a Secret with the units, and a Job, JSON-ready.

    Raises:
        BadCluster: a name or number can't stand in a manifest, or the units are too many.
    """
    _check(cluster)
    first = units[0]
    if [unit.seed_index for unit in units] != list(range(len(units))) or len(units) > MOST_INDICES:
        raise BadCluster(
            f"{first.name}: {len(units)} runs; allowed: one for each seed's index from 0 on, up to "
            f"{MOST_INDICES}"
        )
    name = job_name(first)
    labels = {
        "app.kubernetes.io/managed-by": "seedlock",
        "seedlock.org/submission": first.submission.removeprefix("sha256:")[:40],
    }
    head = {"namespace": cluster.namespace, "labels": labels, "name": name}
    return [_network_policy(head), _secret(head, units, cluster), _job(head, units, cluster)]


def job_name(unit: Unit) -> str:
    """Return the name of a submission's Job: what an index is called, `NAME-INDEX`, must be a DNS
    label of at most 63 characters."""
    slug = re.sub(r"[^a-z0-9]+", "-", unit.name.lower()).strip("-")[:24].strip("-")
    return "-".join(filter(None, ("seedlock", slug, unit.submission.removeprefix("sha256:")[:12])))


def attempt_of(unit: Unit, failed: int) -> Unit:
    """Return the unit of the try after `failed` ones, as its pod sees it."""
    return dataclasses.replace(
        unit, attempt=failed + 1, folder=SUBMISSION, output=f"{RESULTS}/run",
        record=f"{RESULTS}/record.json", image=None, image_name=None, sealed=False, cpus=(),
        gpus=(),
    )  # fmt: skip


def _check(cluster: Cluster) -> None:
    for what, value in (("namespace", cluster.namespace), ("claim", cluster.claim)):
        if not _LABEL.fullmatch(value):
            raise BadCluster(
                f"{what} is '{printable(value)}'; allowed: lower-case letters, digits and dashes, "
                "up to 63; mend the option"
            )
    if not _DIGEST.fullmatch(cluster.image):
        raise BadCluster(
            f"image is '{printable(cluster.image, 200)}'; allowed: NAME@sha256:HEX, since a tag "
            "may be another image for the next run; say what docker inspect calls RepoDigests"
        )
    if cluster.user == 0:
        raise BadCluster("user is 0, which is root; allowed: another number; leave it out")


def _network_policy(head: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": head,
        # Both types and no rule: nothing goes in and nothing out, not even to a name server.
        "spec": {
            "podSelector": {"matchLabels": head["labels"]},
            "policyTypes": ["Ingress", "Egress"],
        },
    }


def _secret(head: dict[str, Any], units: Sequence[Unit], cluster: Cluster) -> dict[str, Any]:
    files = {
        f"{unit.seed_index}-{failed}.json": attempt_of(unit, failed).as_json().encode()
        for unit in units
        for failed in range(cluster.retries + 1)
    }
    if sum(len(name) + len(content) for name, content in files.items()) > MOST_SECRET:
        raise BadCluster(
            f"{units[0].name}: {len(units)} runs of {cluster.retries + 1} attempts are more than "
            "the 1 MiB that a Secret may hold; allowed: fewer seeds or retries"
        )
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": head,
        "type": "Opaque",
        "immutable": True,
        "data": {name: base64.b64encode(content).decode() for name, content in files.items()},
    }


def _job(head: dict[str, Any], units: Sequence[Unit], cluster: Cluster) -> dict[str, Any]:
    # No maxFailedIndexes: a failed seed is a result, and the others are run all the same.
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": head,
        "spec": {
            "completionMode": "Indexed",
            "completions": len(units),
            "parallelism": min(cluster.parallelism, len(units)),
            "backoffLimitPerIndex": cluster.retries,
            "podFailurePolicy": {"rules": _rules()},
            # Two tries of an index must not write into one folder (required by podFailurePolicy).
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {"labels": head["labels"]},
                "spec": _pod(head["name"], units[0], cluster),
            },
        },
    }


def _rules() -> list[dict[str, Any]]:
    """The first rule that fits counts. What none fits, as 75 or a node that was lost, is counted
    against the retries."""
    return [
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        },
        {
            "action": "FailIndex",
            "onExitCodes": {
                "containerName": CONTAINER, "operator": "In", "values": sorted(FINAL),
            },
        },
    ]  # fmt: skip


def _pod(name: str, unit: Unit, cluster: Cluster) -> dict[str, Any]:
    limits = unit.limits
    resources = {
        "cpu": f"{math.ceil(limits['processors'] * 1000)}m",
        "memory": str(int(limits["memory"])),
        "ephemeral-storage": str(int(limits["disk"])),
        **({"nvidia.com/gpu": str(cluster.gpus)} if cluster.gpus else {}),
    }
    shared = {"name": "shared", "mountPath": SUBMISSION}
    tried = f"$({INDEX})-$({FAILED})"
    return {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": math.ceil(limits["seconds"]) + SPARE,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"runtimeClassName": cluster.runtime_class} if cluster.runtime_class else {}),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": cluster.user,
            "runAsGroup": cluster.user,
            "fsGroup": cluster.user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": CONTAINER,
                "image": cluster.image,
                "command": ["python", "-m", "seedlock", "unit", UNIT],
                "workingDir": SUBMISSION,
                "env": [
                    {"name": key, "valueFrom": {"fieldRef": {
                        "fieldPath": f"metadata.annotations['{annotation}']"}}}
                    for key, annotation in ANNOTATIONS.items()
                ] + [
                    {"name": "HOME", "value": "/tmp"},
                    {"name": "REPRO_DATA_CACHE", "value": DATA},
                ],
                "resources": {"requests": resources, "limits": resources},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                    "privileged": False,
                },
                "volumeMounts": [
                    # Of the Secret this try's file only: another index's seed is not there.
                    {"name": "units", "mountPath": UNIT, "readOnly": True,
                     "subPathExpr": f"{tried}.json"},
                    {**shared, "readOnly": True, "subPath": f"submissions/{unit.name}"},
                    {**shared, "mountPath": DATA, "readOnly": True, "subPath": "data"},
                    {**shared, "mountPath": RESULTS,
                     "subPathExpr": f"results/{unit.name}/{tried}"},
                    {"name": "scratch", "mountPath": "/tmp"},
                    {"name": "memory", "mountPath": "/dev/shm"},
                ],
            }
        ],
        "volumes": [
            {"name": "units", "secret": {"secretName": name, "defaultMode": 0o440}},
            {"name": "shared", "persistentVolumeClaim": {"claimName": cluster.claim}},
            {"name": "scratch", "emptyDir": {"sizeLimit": str(int(limits["disk"]))}},
            {"name": "memory", "emptyDir": {
                "medium": "Memory", "sizeLimit": str(int(limits["memory"]) // 2)}},
        ],
    }  # fmt: skip
