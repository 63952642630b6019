"""A record as lines for people."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 8
"""How many of a list's entries are shown; the rest is counted."""

SAID = {
    "done": "DONE",
    "author-failure": "FAILED: the program ended with an error",
    "metrics": "NOT VALID: metrics",
    "not-locked": "NOT VALID: perhaps not locked",
    "changed": "NOT VALID: source or data changed during the run",
    "limit": "LIMIT REACHED",
    "infrastructure": "THE MACHINE FAILED",
    "interrupted": "INTERRUPTED",
}

INCOMPLETE = "INCOMPLETE: the run goes on, or was killed; this record proves nothing"


def headline(record: dict[str, Any]) -> str:
    """Return how the run ended, in a few words."""
    return SAID[record["outcome"]["class"]] if "outcome" in record else INCOMPLETE


def rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to be said of a run, as pairs of a name and a text."""
    found = [
        ("command", shlex.join(record["command"])),
        ("seed", f"{record['seed']}, level {record['level']}, derivation {record['scheme']}"),
        ("settings", _settings(record["settings"])),
        ("image", _image(record["image"])),
        ("source", _source(record["source"])),
        ("started", record["usage"]["started"]),
    ]
    if record["submission"] is not None:
        found.insert(
            0, ("submission", "{name}, {visibility}, {digest}".format(**record["submission"]))
        )
    return found + list(_ended(record)) if "outcome" in record else found


def text(record: dict[str, Any]) -> str:
    """Return the lines that `seedlock show` prints."""
    lines = [headline(record)]
    if "outcome" in record:
        lines += [f"  {reason}" for reason in _some(record["outcome"]["reasons"])]
    width = max(len(name) for name, _ in rows(record))
    lines += [""] + [f"{name:<{width}}  {said}" for name, said in rows(record)]
    gaps_found = gaps(record)
    if gaps_found:
        lines += ["", f"gaps ({len(gaps_found)}):", *(f"  {gap}" for gap in _some(gaps_found))]
    return "\n".join(lines)


def gaps(record: dict[str, Any]) -> list[str]:
    """Return what was not locked in any process, each once."""
    found: dict[str, None] = {}
    for report in record.get("processes", ()):
        found.update(dict.fromkeys(report.get("gaps", ())))
        for library in report.get("libraries", {}).values():
            found.update(dict.fromkeys(library.get("gaps", ())))
    return list(found)


def versions(record: dict[str, Any]) -> dict[str, str]:
    """Return the version of each library that a process imported."""
    return {
        name: library["version"]
        for report in record.get("processes", ())
        for name, library in report.get("libraries", {}).items()
        if library.get("version")
    }


def size(count: float | None) -> str:
    """Return a number of bytes with a unit of 1024."""
    if count is None:
        return "unknown"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"


def _ended(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    usage, host, trace = record["usage"], record["host"], record["trace"]
    yield "finished", usage["finished"]
    took = (
        f"{usage['wall_s']:.1f} s wall, {usage['user_s'] + usage['system_s']:.1f} s of processors, "
        f"{size(usage['peak_memory_bytes'])} of memory at most"
    )
    if "gpu_s" in usage:
        took += f", {usage['gpu_s']:.1f} s of GPUs (by {usage['gpu_by']})"
    energy = usage.get("energy_j")
    yield "took", took if energy is None else f"{took}, {energy:.0f} J by the GPUs"
    cpu = host.get("cpu", {}).get("model") or "unknown processor"
    devices = host.get("gpu", {}).get("devices", ())
    gpus = ", ".join(each.get("name", "GPU") for each in devices) or "no GPU"
    yield "machine", f"{cpu}, {gpus}, {size(host.get('memory_bytes'))}, kernel {host.get('kernel')}"
    yield "libraries", ", ".join(f"{name} {each}" for name, each in versions(record).items()) or "-"
    yield "lock", _lock(record["lock"])
    for metric in record["metrics"]["declared"]:
        value = record["metrics"]["final"].get(metric["name"], "missing")
        better = "higher" if metric["direction"] == "max" else "lower"
        yield (
            "metric",
            f"{metric['name']} {value} {metric['unit']}".rstrip() + f" ({better} is better)",
        )
    others = len(record["metrics"]["final"]) - len(record["metrics"]["declared"])
    if others > 0:
        yield "metrics", f"{others} more that do not count"
    for data in record["data"]:
        held = "verified" if data["verified_before"] and data["verified_after"] else "NOT VERIFIED"
        yield "data", f"{data['name']}, {size(data['size'])}, {data['sha256']}, {held}"
    reads = record["reads"]
    if reads["files"]:
        yield "read", f"neither source nor declared data: {', '.join(_some(reads['files']))}"
    if not reads["complete"]:
        yield "reads", f"seen by {reads['by']}"
    for file in record["outputs"][:SHOWN]:
        yield "output", f"{file['path']}, {size(file['size'])}, {file['sha256']}"
    if len(record["outputs"]) > SHOWN:
        yield "output", f"and {len(record['outputs']) - SHOWN} more files"
    if trace is not None:
        yield "trace", f"{trace['steps']} steps, {trace['results']} results, {trace['digest']}"
    if record["guarantees"] is not None:
        kept = [name for name, each in record["guarantees"].items() if each["held"]]
        lost = [name for name, each in record["guarantees"].items() if not each["held"]]
        yield "sealed", ", ".join(kept) + (f"; NOT: {', '.join(lost)}" if lost else "")
    yield "processes", str(len(record["processes"]))


def _settings(settings: dict[str, Any]) -> str:
    shown = {name: value for name, value in settings.items() if name not in ("level", "hash_seed")}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if value is not None)


def _image(image: dict[str, Any] | None) -> str:
    return (
        "none: it ran on the machine itself" if image is None else f"{image['name']}, {image['id']}"
    )


def _source(source: dict[str, Any] | None) -> str:
    if source is None:
        return "in the image"
    said = (
        f"revision {source['revision'] or 'unknown'}, {source['files']} files, {source['digest']}"
    )
    dirty = [each["file"] for each in source["dirty"]]
    read = (source.get("ignored") or {}).get("read") or []
    if dirty:
        said += f"; not committed: {', '.join(_some(dirty))}"
    return f"{said}; read and in no digest: {', '.join(_some(read))}" if read else said


def _lock(lock: dict[str, Any] | None) -> str:
    if lock is None:
        return "none in force: versions are recorded, not checked"
    drift = ", ".join(lock["drift"])
    return f"sha256:{lock['sha256']}, " + (f"DRIFTED: {drift}" if drift else "nothing drifted")


def _some(entries: list[str]) -> list[str]:
    if len(entries) <= SHOWN:
        return entries
    return [*entries[:SHOWN], f"and {len(entries) - SHOWN} more"]
