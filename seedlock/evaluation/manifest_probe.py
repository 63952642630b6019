"""What is installed: a program of the standard library alone.

It is imported for the environment that seedlock itself runs in, and handed to the interpreter of
an image as text, so that an image is read alike whichever seedlock is in it, and without one.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import json
import os
import re
import sys
from typing import Any

PACKAGE_FOLDERS = ("site-packages", "dist-packages")
NOT_FILES = ("/proc", "/sys", "/dev")
"""What the kernel shows there are no files of the image."""

INSTALLERS_OWN = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
"""Files of a .dist-info folder that pip writes and the wheel does not hold."""

DPKG = "/var/lib/dpkg"


def facts(folders: list[str], lock_file: str | None) -> dict[str, Any]:
    """Return what is installed: `debian`, `python`, `system` and `locks`.

    Args:
        folders: those that hold Python packages.
        lock_file: constraints of pip; locks lie in a folder `locks` beside it.
    """
    return {
        "debian": debian_packages(DPKG),
        "python": [each for folder in folders for each in python_packages(folder)],
        "system": system("/etc/os-release", "/etc/debian_version"),
        "locks": locks(lock_file),
    }


def package_folders(root: str) -> list[str]:
    """Return all folders below `root` that hold Python packages, those of every environment.

    What packages carry inside them, as setuptools its copies of others, is their own.
    """
    found = []
    for folder, names, _ in os.walk(root, onerror=_stop):
        found += [os.path.join(folder, name) for name in names if name in PACKAGE_FOLDERS]
        names[:] = [
            name
            for name in names
            if name not in PACKAGE_FOLDERS and os.path.join(folder, name) not in NOT_FILES
        ]
    return sorted(found)


def _stop(problem: OSError) -> None:
    # os.walk would go on without a folder that can't be read, and the list would look whole.
    raise problem


def debian_packages(folder: str) -> list[dict[str, str]]:
    """Return the packages that dpkg has installed; none where there is no dpkg.

    `files` is the SHA-256 of dpkg's own list of the package's files with their MD5, which says
    whether the same version was built again with other contents.

    Args:
        folder: dpkg's, with `status` and `info/`.
    """
    path = os.path.join(folder, "status")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        stanzas = file.read().split("\n\n")
    found = []
    for stanza in stanzas:
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, architecture = fields["Package"], fields["Architecture"]
            package = {"name": name, "version": fields["Version"], "architecture": architecture}
            for owner in (name, f"{name}:{architecture}"):
                sums = os.path.join(folder, "info", f"{owner}.md5sums")
                if os.path.exists(sums):
                    with open(sums, "rb") as listed:
                        package["files"] = hashlib.sha256(listed.read()).hexdigest()
            found.append(package)
    return found


def python_packages(folder: str) -> list[dict[str, str]]:
    """Return the Python packages in a folder.

    `files` is the SHA-256 of what RECORD says of the wheel's own files; a package that was not
    installed from a wheel has none.
    """
    found = []
    for distribution in importlib.metadata.distributions(path=[folder]):
        package = {
            "name": distribution.metadata["Name"] or "unknown",
            "version": distribution.metadata["Version"] or "unknown",
            "folder": folder,
        }
        record = distribution.read_text("RECORD")
        if record:
            package["files"] = files_digest(record)
        found.append(package)
    return found


def files_digest(record: str) -> str:
    """Return one SHA-256 for the files of a wheel, from the lines `path,hash,size` of RECORD.

    Left out is what the same wheel leaves differently in each place: pip's own notes, compiled
    files, and scripts, whose first line names the interpreter.
    """
    rows = sorted(
        row
        for row in csv.reader(record.splitlines())
        if row and not row[0].startswith(("/", "../"))
        and not row[0].endswith(".pyc")
        and not (".dist-info/" in row[0] and row[0].rpartition("/")[2] in INSTALLERS_OWN)
    )  # fmt: skip
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def system(os_release: str, debian_version: str) -> dict[str, str]:
    """Return the distribution's `name` and `version`, with Debian's point release."""
    if not os.path.exists(os_release):
        return {}
    with open(os_release, encoding="utf-8") as file:
        fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', file.read(), re.MULTILINE))
    found = {"name": fields.get("ID", "linux"), "version": fields.get("VERSION_ID", "")}
    if found["name"] == "debian" and os.path.exists(debian_version):
        with open(debian_version, encoding="utf-8") as file:
            found["version"] = file.read().strip()
    return found


def locks(lock_file: str | None) -> dict[str, str]:
    """Return the texts of the constraints (as `constraints.txt`) and of the locks beside them."""
    found: dict[str, str] = {}
    if lock_file is None or not os.path.exists(lock_file):
        return found
    paths = {"constraints.txt": lock_file}
    folder = os.path.join(os.path.dirname(lock_file), "locks")
    if os.path.isdir(folder):
        paths |= {
            name: os.path.join(folder, name)
            for name in os.listdir(folder) if name.endswith(".lock")
        }  # fmt: skip
    for name, path in paths.items():
        with open(path, encoding="utf-8", newline="") as file:
            found[name] = file.read()
    return found


if __name__ == "__main__":
    json.dump(facts(package_folders("/"), sys.argv[1] or None), sys.stdout)
