"""bill_of_materials.py: valid CycloneDX, the same bytes each time, and back without a loss."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from seedlock.errors import BadManifest
from seedlock.evaluation.bill_of_materials import manifest_of, text_of
from seedlock.evaluation.manifest import (
    DEB,
    DEBIAN,
    FILES,
    LOCKED,
    PYTHON,
    Base,
    Manifest,
    Package,
)
from seedlock.evaluation.manifest_sources import of_locks
from tests.interpreter import REPOSITORY

LOCKS = str(REPOSITORY / "version-lock")

SHA256 = st.integers(0, 2**256 - 1).map("{:064x}".format)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.+-]{0,8}[a-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(r"([0-9]:)?[0-9][0-9a-z.+~-]{0,8}", fullmatch=True)


@st.composite
def packages(draw: st.DrawFn) -> Package:
    """Draw a package as the probe and the locks give them."""
    files = [(FILES, each) for each in draw(st.lists(SHA256, max_size=1))]
    if draw(st.booleans()):
        debs = [(DEB, each) for each in draw(st.lists(SHA256, max_size=1))]
        place = draw(st.sampled_from(("amd64", "all")))
        hashes = tuple(sorted(files + debs))
        return Package(DEBIAN, draw(NAMES), draw(VERSIONS), place, hashes)
    locked = [(LOCKED, each) for each in draw(st.lists(SHA256, max_size=3, unique=True))]
    place = draw(st.sampled_from(("", "/opt/repro/venv/lib/python3.11/site-packages", "/a b/ü")))
    name = draw(NAMES.map(lambda each: each.replace(".", "-").replace("+", "")))
    return Package(PYTHON, name, draw(VERSIONS), place, tuple(sorted(files + locked)))


MANIFESTS = st.builds(
    Manifest,
    kind=st.sampled_from(("image", "environment", "locks")),
    name=st.sampled_from(("conference/repro-base:2026.11", "/tmp/x y", "version-lock")),
    identity=st.sampled_from(("", "sha256:" + "1" * 64)),
    seedlock=st.sampled_from(("", "0.1.0")),
    revision=st.sampled_from(("", "c14ecc5-dirty")),
    base=st.none()
    | st.builds(
        Base,
        st.sampled_from(("debian:bookworm-slim", "registry.example:5000/a/b", "")),
        st.just("") | SHA256.map("sha256:{}".format),
        st.just("") | SHA256.map("sha256:{}".format),
    ),
    system=st.sampled_from((("", ""), ("debian", "12.15"), ("arch", ""))),
    locks=st.dictionaries(st.sampled_from(("cpu.lock", "debian.lock")), SHA256),
    packages=st.lists(packages(), max_size=6, unique_by=lambda each: each[:4]).map(
        lambda found: tuple(sorted(found))
    ),
)


def problem(text: str) -> str:
    """Return what the library's validator finds wrong."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return "" if found is None else str(found)


@pytest.mark.parametrize("lock", ["", "/gpu.lock"])
def test_the_bill_of_the_real_locks(lock: str) -> None:
    """It is valid, comes back as it was, and has each package with its hashes."""
    manifest = of_locks(LOCKS + lock)

    text = text_of(manifest)

    assert problem(text) == ""
    assert manifest_of(text, "file") == manifest
    content = json.loads(text)
    found = {each["purl"]: each for each in content["components"] if "purl" in each}
    tini = found["pkg:deb/debian/tini@0.19.0-1%2Bb3?arch=amd64"]
    (deb,) = (each for each in manifest.packages if each.name == "tini")
    assert tini["hashes"] == [{"alg": "SHA-256", "content": deb.of_kind(DEB)[0]}]
    (numpy,) = (each for each in found.values() if each["name"] == "numpy")
    (files,) = numpy["externalReferences"]
    assert len(files["hashes"]) > 1 and files["type"] == "distribution"
    (base,) = (each for each in content["components"] if each["bom-ref"] == "base")
    assert base["version"].startswith("sha256:") and base["purl"].startswith("pkg:oci/debian@")


@given(MANIFESTS)
@settings(max_examples=settings().max_examples // 3)
def test_any_manifest_comes_back(manifest: Manifest) -> None:
    """What is written is valid and loses nothing."""
    text = text_of(manifest)

    assert problem(text) == ""
    assert manifest_of(text, "file") == manifest


def test_nothing_in_it_is_of_the_moment() -> None:
    """No serial number, and no time but the one that is given."""
    manifest = of_locks(LOCKS)

    text, dated = text_of(manifest), text_of(manifest, 1789689600)

    assert text == text_of(of_locks(LOCKS))
    content, dated_content = json.loads(text), json.loads(dated)
    assert "serialNumber" not in content and "timestamp" not in content["metadata"]
    assert dated_content["metadata"].pop("timestamp") == "2026-09-18T00:00:00+00:00"
    assert dated_content == content and problem(dated) == ""
    assert manifest_of(dated, "file") == manifest


FOREIGN = {
    "bomFormat": "CycloneDX", "specVersion": "1.6",
    "metadata": {"component": {"type": "container", "name": "x", "properties": []}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not CycloneDX 1.6"),
        ('{"bomFormat": "CycloneDX"}', "not CycloneDX 1.6"),
        ('{"bomFormat": "CycloneDX", "specVersion": "1.6", "x": 1}', "not CycloneDX 1.6"),
        ('{"bomFormat": "CycloneDX", "specVersion": "1.6"}', "seedlock:manifest is not there"),
        (json.dumps(FOREIGN), "seedlock:manifest is not there"),
        (text_of(Manifest("locks", "x")).replace('"value": "1"', '"value": "2"'),
         "seedlock:manifest is 2, not 1"),
    ],
    ids=["empty", "deep", "list", "incomplete", "more", "bare", "foreign", "later"],
)  # fmt: skip
def test_what_is_no_manifest(text: str, reason: str) -> None:
    """It is refused with the reason: a bill of another tool says other things."""
    with pytest.raises(BadManifest, match=rf"^a\.json: {reason}"):
        manifest_of(text, "a.json")
