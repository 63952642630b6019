"""A manifest as CycloneDX 1.6 JSON, and back; https://cyclonedx.org/docs/1.6/json/.

What CycloneDX has no field for stands in properties whose names begin with `seedlock:`.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cyclonedx.exception import CycloneDxException
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from seedlock import __version__
from seedlock.errors import BadManifest
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = "seedlock:manifest"
VERSION = "1"
"""Which properties there are; what reads them refuses another."""

KINDS = {
    "image": ComponentType.CONTAINER,
    "environment": ComponentType.PLATFORM,
    "locks": ComponentType.DATA,
}

PURL_TYPES = {DEBIAN: "deb", PYTHON: "pypi"}

ALLOWED = "allowed: CycloneDX 1.6 JSON as `seedlock manifest` writes it; say seedlock manifest"


def text_of(manifest: Manifest, epoch: int | None = None) -> str:
    """Return the bill of materials; equal manifests give equal bytes.

    It has no serial number, which CycloneDX wants unique for each writing.

    Args:
        manifest: what to write.
        epoch: time of writing in seconds since 1970 (SOURCE_DATE_EPOCH); none without.
    """
    subject = Component(
        type=KINDS[manifest.kind],
        name=manifest.name,
        version=manifest.seedlock or None,
        bom_ref="subject",
        properties=_properties(
            {
                FORMAT: VERSION,
                "seedlock:kind": manifest.kind,
                "seedlock:image-id": manifest.identity,
                "seedlock:revision": manifest.revision,
            }
        ),
    )
    tool = Component(type=ComponentType.APPLICATION, name="seedlock", version=__version__)
    bom = Bom(metadata=BomMetaData(component=subject), components=_components(manifest))
    bom.metadata.tools.components.add(tool)
    bom.register_dependency(subject, bom.components)
    # The library gives both by itself and leaves out what is None.
    bom.serial_number = None  # type: ignore[assignment]
    bom.metadata.timestamp = (
        None if epoch is None else datetime.fromtimestamp(epoch, timezone.utc)  # type: ignore[assignment]
    )
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)


def _components(manifest: Manifest) -> Iterator[Component]:
    name, version = manifest.system
    if name:
        yield Component(type=ComponentType.OPERATING_SYSTEM, name=name, version=version,
                        bom_ref="system")  # fmt: skip
    if manifest.base is not None:
        yield _base(manifest.base)
    for file, digest in manifest.locks.items():
        yield Component(
            type=ComponentType.FILE, name=file, bom_ref=f"lock/{file}", hashes=_hashes([digest])
        )
    for package in manifest.packages:
        yield _package(package, name or "debian")


def _base(base: Base) -> Component:
    name, _, tag = base.name.rpartition("/")[2].partition(":")
    qualifiers = {"tag": tag} if tag else {}
    return Component(
        type=ComponentType.CONTAINER,
        name=base.name,
        version=base.digest or None,
        bom_ref="base",
        hashes=_hashes([base.digest.removeprefix("sha256:")] if base.digest else []),
        purl=PackageURL("oci", None, name, base.digest, qualifiers)
        if name and base.digest
        else None,
        properties=_properties({"seedlock:first-layer": base.layer}),
    )


def _package(package: Package, distribution: str) -> Component:
    if package.system == DEBIAN:
        url = PackageURL(
            "deb", distribution, package.name, package.version, {"arch": package.place}
        )
        reference = url.to_string()
    else:
        url = PackageURL("pypi", None, package.name, package.version)
        reference = f"{url.to_string()}#{package.place}" if package.place else url.to_string()
    locked = package.of_kind(LOCKED)
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=reference,
        purl=url,
        hashes=_hashes(package.of_kind(DEB)),
        # Which of them was installed nobody knows afterwards, so none is the component's own.
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(url.to_string()),
                comment="files that the lock allows, wheels and sources",
                hashes=_hashes(locked),
            )
        ] if locked else [],
        evidence=ComponentEvidence(occurrences=[Occurrence(location=package.place)])
        if package.system == PYTHON and package.place
        else None,
        properties=_properties({"seedlock:files-sha256": "".join(package.of_kind(FILES))}),
    )  # fmt: skip


def _hashes(values: Iterable[str]) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=each) for each in values]


def _properties(named: dict[str, str]) -> list[Property]:
    return [Property(name=name, value=value) for name, value in named.items() if value]


def manifest_of(text: str, file: str) -> Manifest:
    """Return what a bill of materials says.

    Args:
        text: the file's content.
        file: its name, for the message.

    Raises:
        BadManifest: the text is no CycloneDX 1.6 JSON, or not one of seedlock's.
    """
    # Here, because jsonschema's checks of addresses take more than a second to import.
    from cyclonedx.validation.json import JsonStrictValidator

    try:
        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
        content = json.loads(text)
    except (ValueError, RecursionError) as unreadable:
        raise BadManifest(f"{file}: not JSON: {unreadable}; {ALLOWED}") from unreadable
    if problem is not None:
        raise BadManifest(f"{file}: not CycloneDX 1.6: {_first_line(str(problem))}; {ALLOWED}")
    component = content.get("metadata", {}).get("component", {})
    given = {each.get("name"): each.get("value") for each in component.get("properties", [])}
    if given.get(FORMAT) != VERSION or given.get("seedlock:kind") not in KINDS:
        raise BadManifest(
            f"{file}: {FORMAT} is {given.get(FORMAT, 'not there')}, not {VERSION}; {ALLOWED}"
        )
    # The library closes what the schema leaves open in several ways of its own.
    try:
        bom: Bom = Bom.from_json(content)  # type: ignore[attr-defined]
    except (ValueError, AttributeError, TypeError, CycloneDxException) as refused:
        raise BadManifest(f"{file}: {_first_line(str(refused))}; {ALLOWED}") from refused
    return _manifest(bom)


def _manifest(bom: Bom) -> Manifest:
    subject = bom.metadata.component
    assert subject is not None
    own = _named(subject)
    base, system = None, ("", "")
    locks, packages = {}, []
    for component in bom.components:
        hashes = [each.content for each in component.hashes]
        if component.type is ComponentType.OPERATING_SYSTEM:
            system = (component.name, component.version or "")
        elif component.type is ComponentType.CONTAINER:
            layer = _named(component).get("seedlock:first-layer", "")
            base = Base(component.name, component.version or "", layer)
        elif component.type is ComponentType.FILE:
            locks[component.name] = "".join(hashes)
        elif component.purl is not None:
            packages.append(_read_package(component, component.purl))
    return Manifest(
        kind=own["seedlock:kind"],
        name=subject.name,
        identity=own.get("seedlock:image-id", ""),
        seedlock=subject.version or "",
        revision=own.get("seedlock:revision", ""),
        base=base,
        system=system,
        locks=locks,
        packages=tuple(sorted(packages)),
    )


def _read_package(component: Component, url: PackageURL) -> Package:
    system = DEBIAN if url.type == PURL_TYPES[DEBIAN] else PYTHON
    hashes = [(DEB, each.content) for each in component.hashes]
    hashes += [
        (LOCKED, each.content)
        for reference in component.external_references
        for each in reference.hashes
    ]
    files = _named(component).get("seedlock:files-sha256")
    hashes += [(FILES, files)] if files else []
    if system == DEBIAN:
        place = url.qualifiers.get("arch", "") if isinstance(url.qualifiers, dict) else ""
    else:
        occurrences = component.evidence.occurrences if component.evidence else ()
        place = "".join(each.location for each in occurrences)
    return Package(
        system, component.name, component.version or "", place, tuple(sorted(hashes))
    )  # fmt: skip


def _named(component: Component) -> dict[str, str]:
    return {each.name: each.value or "" for each in component.properties}


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]
