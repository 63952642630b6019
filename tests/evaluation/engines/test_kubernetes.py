"""Manifests for Kubernetes: what the schema, the documented constraints and a pod's process say."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadCluster
from seedlock.evaluation import requirements
from seedlock.evaluation.engines.base import Unit, unit_of
from seedlock.evaluation.engines.kubernetes import (
    ANNOTATIONS,
    CONTAINER,
    FINAL,
    VERSION,
    Cluster,
    attempt_of,
    job_name,
    manifests,
)
from seedlock.evaluation.json_schema import jsonschema
from seedlock.evaluation.recording import source
from seedlock.evaluation.recording.record import load
from seedlock.evaluation.sealing.limits import parse
from tests.evaluation.engines.pods import in_a_pod, reachable, submission
from tests.interpreter import REPOSITORY, python

jsonschema()  # before others import it: its checks of addresses take a second, and nobody asks them
import kubernetes_validate  # noqa: E402

IMAGE = "registry.example/repro-base@sha256:" + "ab" * 32
CLUSTER = Cluster("rounds", "round-claim", IMAGE, parallelism=4, retries=2, gpus=1)
SEEDS = (7, 2**64 - 1, 8)


def units(folder: Path, seeds: tuple[int, ...] = SEEDS) -> list[Unit]:
    """A submission's units, attempt 1."""
    submission(folder, "My_method.v2")
    return [
        Unit(
            "sample", "sha256:" + "1" * 64, source.look(folder).digest, "My_method.v2",
            str(folder), index, 1, seed, "strict",
            parse({"memory": "2g", "processors": "1.5", "time": "60s", "disk": "1g"}).as_dict(),
            "/somewhere/run", "/somewhere/run.json", metrics=(("loss", "min", ""),),
        )
        for index, seed in enumerate(seeds)
    ]  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> list[dict[str, Any]]:
    """The manifests of a submission with three seeds."""
    return manifests(units(tmp_path / "mine"), CLUSTER)


def valid(manifest: dict[str, Any], version: str = VERSION) -> str | None:
    """Return what Kubernetes's own schema has against a manifest; None if nothing."""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as problem:
        return str(problem.message)
    return None


def refused(job: dict[str, Any]) -> list[str]:
    """Return which of the constraints a Job breaks that are documented beside its schema.

    kubernetes.io, "Jobs" (Pod failure policy; Backoff limit per index; Pod replacement policy), and
    the API's reference of JobSpec, PodFailurePolicyRule and PodFailurePolicyOnExitCodesRequirement.
    """
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    rules = spec["podFailurePolicy"]["rules"]
    containers = {each["name"] for each in pod["containers"]}
    found = []
    if pod["restartPolicy"] != "Never":
        found.append("podFailurePolicy and backoffLimitPerIndex need restartPolicy Never")
    if "backoffLimitPerIndex" in spec and spec["completionMode"] != "Indexed":
        found.append("backoffLimitPerIndex needs Indexed")
    if spec.get("podReplacementPolicy", "Failed") != "Failed":
        found.append("podFailurePolicy allows podReplacementPolicy Failed only")
    if not 0 < spec["parallelism"] <= spec["completions"] <= 100_000:
        found.append("numbers")
    if "maxFailedIndexes" in spec and not 0 <= spec["maxFailedIndexes"] <= spec["completions"]:
        found.append("maxFailedIndexes")
    if len(rules) > 20:
        found.append("more than 20 rules")
    for rule in rules:
        if ("onExitCodes" in rule) == ("onPodConditions" in rule):
            found.append("exactly one of onExitCodes and onPodConditions")
        if rule["action"] == "FailIndex" and "backoffLimitPerIndex" not in spec:
            found.append("FailIndex needs backoffLimitPerIndex")
        codes = rule.get("onExitCodes")
        if codes is not None:
            values = codes["values"]
            if values != sorted(set(values)) or not 1 <= len(values) <= 255:
                found.append("values: ordered, unique, 1 to 255 of them")
            if codes["operator"] == "In" and 0 in values:
                found.append("0 can't stand with In")
            if codes.get("containerName", CONTAINER) not in containers:
                found.append("containerName names no container")
    return found


@pytest.mark.parametrize("version", [VERSION, kubernetes_validate.latest_version()])
def test_the_schema_of_each_version_takes_the_manifests(
    made: list[dict[str, Any]], version: str
) -> None:
    """Strictly: no key that the version does not know."""
    assert [each["kind"] for each in made] == ["NetworkPolicy", "Secret", "Job"]
    for manifest in made:
        assert valid(manifest, version) is None


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        (2, ("spec", "completions"), "three"),
        (2, ("spec", "backoffLimitPerindex"), 2),
        (2, ("spec", "template", "spec", "containers"), None),
        (2, ("spec", "podFailurePolicy", "rules", 0, "onPodConditions", 0, "type"), 1),
        (1, ("data", "0-0.json"), 7),
        (0, ("spec", "policyTypes"), "Egress"),
    ],
)
def test_the_schema_refuses_a_broken_manifest(
    made: list[dict[str, Any]], kind: int, path: tuple[Any, ...], value: object
) -> None:
    """The control of the test above."""
    broken = copy.deepcopy(made[kind])
    at = broken
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value

    assert valid(broken)


def test_constraints_that_no_schema_holds_are_kept(made: list[dict[str, Any]]) -> None:
    """And the checks find each one that is broken."""
    job = made[2]
    assert refused(job) == []

    def broken(*path: Any, value: object) -> list[str]:
        changed = copy.deepcopy(job)
        at = changed
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        return refused(changed)

    rules = ("spec", "podFailurePolicy", "rules")
    assert broken("spec", "template", "spec", "restartPolicy", value="OnFailure")
    assert broken("spec", "completionMode", value="NonIndexed")
    assert broken("spec", "podReplacementPolicy", value="TerminatingOrFailed")
    codes = job["spec"]["podFailurePolicy"]["rules"][1]["onExitCodes"]
    assert broken(*rules, 0, "onExitCodes", value=codes)
    assert broken(*rules, 1, "onExitCodes", "values", value=[124, 42])
    assert broken(*rules, 1, "onExitCodes", "values", value=[0, 42])
    assert broken(*rules, 1, "onExitCodes", "containerName", value="other")


def test_ends_lead_to_what_a_round_says(made: list[dict[str, Any]]) -> None:
    """A disruption is no attempt, whatever the status; the author's failure and a limit are final;
    any other end is tried again, as often as the policy says; a failed seed stops no other."""
    spec = made[2]["spec"]

    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["Ignore", "FailIndex"]
    assert spec["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["type"] == "DisruptionTarget"
    assert spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"] == [42, 78, 124]
    assert set(FINAL) & {0, 74, 75, 130, 137} == set()
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert spec["backoffLimitPerIndex"] == 2
    assert "maxFailedIndexes" not in spec and "backoffLimit" not in spec
    assert spec["template"]["spec"]["activeDeadlineSeconds"] == 60 + 300


def test_a_pod_gets_nothing_that_it_need_not_have(made: list[dict[str, Any]]) -> None:
    """No network, root, privilege, token or writable image; requests are limits."""
    policy, _, job = made
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(policy["spec"])
    chosen = policy["spec"]["podSelector"]["matchLabels"].items()
    assert chosen <= job["spec"]["template"]["metadata"]["labels"].items() and chosen
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["resources"]["requests"] == container["resources"]["limits"] == {
        "cpu": "1500m", "memory": str(2 << 30), "ephemeral-storage": str(1 << 30),
        "nvidia.com/gpu": "1",
    }  # fmt: skip
    assert container["image"] == IMAGE
    writable = [each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")]
    assert writable == ["/results", "/tmp", "/dev/shm"]


def test_a_seed_is_in_the_secret_only_and_a_pod_sees_its_own(made: list[dict[str, Any]]) -> None:
    """No other manifest holds one, nor is one in a variable, a name or a command line."""
    policy, secret, job = made
    files = {name: json.loads(base64.b64decode(of)) for name, of in secret["data"].items()}

    assert set(files) == {f"{index}-{failed}.json" for index in range(3) for failed in range(3)}
    for name, content in files.items():
        index, _, failed = name.removesuffix(".json").partition("-")
        assert (content["seed"], content["attempt"]) == (SEEDS[int(index)], int(failed) + 1)
    rest = json.dumps([policy, {**secret, "data": None}, job])
    assert all(str(seed) not in rest for seed in SEEDS if seed > 10)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    by_name = {each["name"]: each for each in container["env"]}
    for name, annotation in ANNOTATIONS.items():
        where = by_name[name]["valueFrom"]["fieldRef"]["fieldPath"]
        assert where == f"metadata.annotations['{annotation}']"
    (mounted,) = [each for each in container["volumeMounts"] if each["name"] == "units"]
    assert mounted["subPathExpr"] == "$(UNIT_INDEX)-$(UNIT_FAILED).json"
    (results,) = [each for each in container["volumeMounts"] if each["mountPath"] == "/results"]
    assert results["subPathExpr"] == "results/My_method.v2/$(UNIT_INDEX)-$(UNIT_FAILED)"


def test_names_fit_what_a_cluster_allows(tmp_path: Path) -> None:
    """A submission's name may be long and have letters that no DNS label has; two that become
    alike have different Jobs. An index's host name is a label, too."""
    unit = units(tmp_path / "mine")[0]
    names = set()
    for digest, name in (("a", "My_Method..X"), ("b", "my-method-x"), ("c", "_" * 1 + "A" * 99)):
        made = job_name(dataclasses.replace(unit, submission=f"sha256:{digest * 64}", name=name))
        names.add(made)
        assert len(f"{made}-99999") <= 63
        assert all(part.isalnum() for part in made.split("-")) and made.islower()

    assert len(names) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "conference/repro-base:latest"},
        {"image": "conference/repro-base"},
        {"namespace": "Rounds"},
        {"claim": "../claim"},
        {"user": 0},
        {"retries": 2000},
    ],
)
def test_what_no_manifest_may_hold_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """An image by its tag, names of no label, root, and more units than a Secret holds."""
    with pytest.raises(BadCluster):
        manifests(units(tmp_path / "mine"), dataclasses.replace(CLUSTER, **changes))


def test_a_seeds_index_that_is_missing_is_refused(tmp_path: Path) -> None:
    """An Indexed Job has all indices from 0 on."""
    given = units(tmp_path / "mine")

    with pytest.raises(BadCluster):
        manifests([given[0], given[2]], CLUSTER)


@pytest.fixture
def volume(made: list[dict[str, Any]], tmp_path: Path) -> Path:
    """The shared volume, with the submission."""
    where = tmp_path / "volume"
    (where / "submissions").mkdir(parents=True)
    (tmp_path / "mine").rename(where / "submissions" / "My_method.v2")
    reachable(where)
    return where


def test_what_a_pod_starts_makes_a_record(
    bwrap: str, made: list[dict[str, Any]], volume: Path
) -> None:
    """With the container's own mounts, variables, user and command, in a sandbox in the place of a
    cluster: the record has the seed of the index and the attempt of the try."""
    _, secret, job = made
    pod = job["spec"]["template"]["spec"]

    done = in_a_pod(bwrap, pod, secret, volume, "1-2")
    assert done.status == 0, done.err
    record = load(volume / "results" / "My_method.v2" / "1-2" / "record.json")
    assert record["outcome"]["class"] == "done"
    assert record["seed"] == SEEDS[1]
    assert (record["round"]["seed_index"], record["round"]["attempt"]) == (1, 3)
    assert in_a_pod(bwrap, pod, secret, volume, "0-0", WANTED="75").status == 42


def test_a_unit_needs_no_package_that_the_image_lacks(tmp_path: Path) -> None:
    """The organiser's packages that the image's lock does not have are kept away."""
    tables = [of for of in vars(requirements).values() if isinstance(of, dict)]
    needed = {module: package for of in tables for module, package in of.items()
              if isinstance(package, str)}  # fmt: skip
    lock = (REPOSITORY / "version-lock" / "cpu.lock").read_text()
    lacking = [module for module, package in needed.items() if f"\n{package}==" not in lock]
    assert {"jsonschema", "cryptography", "sqlalchemy"} <= set(lacking)
    unit = units(tmp_path / "mine")[0]
    unit = dataclasses.replace(
        attempt_of(unit, 0), folder=unit.folder, output=str(tmp_path / "run"),
        record=str(tmp_path / "run.json"),
    )  # fmt: skip
    (tmp_path / "unit.json").write_text(unit.as_json())
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({lacking!r}))\n"
        "from seedlock.cli import main; sys.exit(main(['unit', 'unit.json']))"
    )

    path = f"{Path(sys.executable).parent}:/usr/bin"
    python("-c", program, cwd=tmp_path, PATH=path)

    assert load(tmp_path / "run.json")["outcome"]["class"] == "done"


def test_an_attempts_unit_is_a_unit(tmp_path: Path) -> None:
    """What the Secret holds is read back as it was."""
    unit = attempt_of(units(tmp_path / "mine")[0], 1)

    assert unit_of(json.loads(unit.as_json())) == unit
