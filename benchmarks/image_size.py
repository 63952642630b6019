"""Compare what a registry keeps of our image with what one keeps of another, a vendor's say.

Compressed layers, in bytes: ours are copied out of the container engine and compressed into a
temporary folder (as large as the image), theirs are asked for, not pulled. Needs skopeo, an engine
that answers, and for theirs a registry that can be reached. The exit status is 1 if ours is not the
smaller one, or if something failed to run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks import pairs
    from benchmarks.pairs import Failed
else:
    import pairs
    from pairs import Failed


def main() -> int:
    """Measure and print; return the exit status."""
    head, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "theirs", metavar="IMAGE", help="in a registry, as registry.example/vendor/framework:26.11"
    )
    parser.add_argument(
        "--image", default="conference/repro-base:gpu", help="ours (default: %(default)s)"
    )
    parser.add_argument(
        "--plain-http", action="store_true", help="the registry has no TLS, as one of a test's own"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    if shutil.which("skopeo") is None:
        raise Failed("skopeo is not installed; on Debian say apt-get install skopeo")
    plain = ["--tls-verify=false"] if options.plain_http else []
    theirs = of_registry(options.theirs, plain)
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"docker-daemon:{options.image}", f"dir:{folder}"
        skopeo("copy", "--quiet", "--dest-compress", source, target)
        ours = layers(json.loads(Path(folder, "manifest.json").read_text()))
    sizes = {options.image: ours, options.theirs: theirs}
    ratio = sum(ours) / sum(theirs)
    if options.json:
        found = {
            name: {"layers": len(each), "compressed_bytes": sum(each)}
            for name, each in sizes.items()
        }
        print(json.dumps(pairs.facts() | {"images": found, "ratio": ratio}, indent=1))
    else:
        print(pairs.header())
        for name, each in sizes.items():
            print(f"{name}: {sum(each) / 1e9:.3f} GB compressed in {len(each)} layers")
        print(f"ratio     {ratio:.3f}")
    return 0 if ratio < 1 else 1


def of_registry(name: str, options: Sequence[str]) -> list[int]:
    """Return the sizes of an image's layers in a registry, in bytes; of several processors' images
    that of x86-64."""
    manifest = json.loads(skopeo("inspect", "--raw", *options, f"docker://{name}"))
    if "manifests" in manifest:
        found = [
            each["digest"]
            for each in manifest["manifests"]
            if each.get("platform", {}).get("architecture") == "amd64"
        ]
        if not found:
            raise Failed(f"{name} has no image for amd64")
        repository = name.partition("@")[0]
        if ":" in repository.rpartition("/")[2]:
            repository = repository.rpartition(":")[0]
        one = f"docker://{repository}@{found[0]}"
        manifest = json.loads(skopeo("inspect", "--raw", *options, one))
    return layers(manifest)


def layers(manifest: dict[str, Any]) -> list[int]:
    """Return the sizes of the layers that a manifest lists (OCI image manifest, Docker's 2.2)."""
    return [layer["size"] for layer in manifest["layers"]]


def skopeo(*words: str) -> str:
    """Return what skopeo prints.

    Raises:
        Failed: it did not do as it was told.
    """
    done = subprocess.run(["skopeo", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"skopeo {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
