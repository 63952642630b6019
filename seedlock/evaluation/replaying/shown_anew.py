"""Is a file what seedlock makes of a record to show it: a page, a crate, a statement?

Nothing in the file is believed: the same is made anew of the record and compared byte for byte.
What another version of seedlock made may differ, and is not known then.
"""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.recording import in_toto, ro_crate
from seedlock.evaluation.recording.record import COMPLETE
from seedlock.evaluation.recording.show_page import page
from seedlock.evaluation.requirements import EXPORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PAGES = (".html", ".htm")

ODD = (ArithmeticError, LookupError, TypeError, ValueError)
"""What a stranger's record may raise of which none can be made: then no file was made of it."""


def shown(
    names: Sequence[str], folder: Path, records: Mapping[Path, dict[str, Any]]
) -> Iterator[str]:
    """Yield the names of files that are made of records.

    Args:
        names: of files below a folder.
        folder: where they are.
        records: what each record says, by its file; some may lie elsewhere.

    Raises:
        OSError: a file can't be read.
    """
    crates = [name for name in names if name.rpartition("/")[2] == ro_crate.METADATA]
    pages = [name for name in names if name.endswith(PAGES)]
    others = [name for name in names if name.endswith(".json") and name not in crates]
    made = [_page(each) for each in records.values()] if pages else []
    yield from (name for name in pages if _is_one_of(folder / name, made))
    if not (crates or others) or any(find_spec(module) is None for module in EXPORT):
        return  # nobody has exported anything with this seedlock
    complete = {of: each for of, each in records.items() if each["status"] == COMPLETE}
    made = [_statement(of, each) for of, each in complete.items()] if others else []
    yield from (name for name in others if _is_one_of(folder / name, made))
    for name in crates:
        content = complete.get((folder / name).with_name(ro_crate.RECORD))
        if content is not None and _is_one_of(folder / name, [_metadata(folder / name, content)]):
            yield name
            yield from _outputs(name.removesuffix(ro_crate.METADATA), folder, content, names)


def _outputs(
    crate: str, folder: Path, record: dict[str, Any], names: Sequence[str]
) -> Iterator[str]:  # fmt: skip
    """Yield those of the names that are outputs in a crate, with the recorded content."""
    recorded = {f"{crate}{ro_crate.OUTPUT}/{of['path']}": of["sha256"] for of in record["outputs"]}
    for name in names:
        if name in recorded and digest_of(folder / name).digest == recorded[name]:
            yield name


def _is_one_of(path: Path, made: Sequence[bytes]) -> bool:
    size = path.stat().st_size
    alike = [each for each in made if len(each) == size]
    return bool(alike) and path.read_bytes() in alike


def _page(record: dict[str, Any]) -> bytes:
    with suppress(*ODD):
        return page(record).encode(errors="replace")
    return b""


def _metadata(path: Path, record: dict[str, Any]) -> bytes:
    with suppress(*ODD):
        return ro_crate.metadata(record, path.parent)
    return b""


def _statement(file: Path, record: dict[str, Any]) -> bytes:
    from google.protobuf import json_format

    with suppress(json_format.Error, *ODD):
        content = in_toto.statement(record, file.name, digest_of(file).digest)
        return f"{json.dumps(content, indent=1, sort_keys=True)}\n".encode()
    return b""
