"""Bundles: what is packed, what is refused, and that nothing but a whole bundle is unpacked."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from seedlock.errors import BadBundle
from seedlock.evaluation.replaying import bundle_tar, manifest
from seedlock.evaluation.replaying.bundle import WRITERS
from seedlock.evaluation.replaying.manifest import Entry
from seedlock.evaluation.replaying.unpacking import against_record, unpack
from tests.evaluation.replaying.replays import CLEAN, record, seedlock
from tests.interpreter import environment

KINDS = (".tar.gz", ".zip")

LONG = f"{'ä' * 60}/{'b' * 120}.txt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run with a bundle of each kind; no test changes it."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / LONG).parent.mkdir()
    (folder / LONG).write_text("long")
    (folder / "run.sh").write_text("#!/bin/sh\nexec python train.py\n")
    (folder / "run.sh").chmod(0o755)
    record(folder, CLEAN, "--metric", "loss:min")
    for kind in KINDS:
        done = seedlock(folder, "bundle", "run.json", "-o", f"run{kind}")
        assert done.status == 0, done.err
    return folder


@pytest.fixture(params=KINDS)
def bundle(folder: Path, request: pytest.FixtureRequest) -> Path:
    """A bundle of each kind."""
    return folder / f"run{request.param}"


def contents(bundle: Path) -> dict[str, bytes]:
    """Return a bundle's files, read by the standard library."""
    if zipfile.is_zipfile(bundle):
        with zipfile.ZipFile(bundle) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    found = {}
    with tarfile.open(bundle) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
    return found


def test_other_programs_can_read_it(bundle: Path, folder: Path) -> None:
    """tar, unzip and Python find the same files, with the digests of the manifest."""
    found = contents(bundle)

    assert next(iter(found)) == "manifest.json"
    listed = json.loads(found.pop("manifest.json"))["files"]
    assert set(listed) == set(found)
    for name, content in found.items():
        assert listed[name]["sha256"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert found["record.json"] == (folder / "run.json").read_bytes()
    assert found["source/train.py"] == CLEAN.encode()
    assert found[f"source/{LONG}"] == b"long"
    assert "artifacts/run/output/weights.npy" in found
    assert sum(name.endswith(".trace.jsonl") for name in found) == 1
    if bundle.suffix == ".gz":
        listing = subprocess.run(["tar", "tzf", bundle], capture_output=True, check=True).stdout
        assert len(listing.splitlines()) == len(found) + 1


def test_equal_input_gives_equal_bytes(bundle: Path, folder: Path, tmp_path: Path) -> None:
    """Elsewhere, at another time, with other times and owners' rights of the files."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    (copy / "train.py").chmod(0o600)

    done = seedlock(copy, "bundle", "run.json", "-o", str(tmp_path / bundle.name))

    assert done.status == 0, done.err
    assert (tmp_path / bundle.name).read_bytes() == bundle.read_bytes()
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() in done.out


def test_a_bundle_replays_alone(bundle: Path, tmp_path: Path) -> None:
    """In another folder, with nothing of the first one there; within a repository that ignores
    all. What may be started still may."""
    shutil.copy(bundle, tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("*\n")

    done = seedlock(tmp_path, "replay", bundle.name, "--output", "again")

    assert done.status == 0, done.out + done.err
    assert done.out.startswith("IDENTICAL: ")
    assert "trace: 3 results equal" in done.out
    source = tmp_path / "again" / "bundle" / "source"
    assert os.access(source / "run.sh", os.X_OK) and not os.access(source / "train.py", os.X_OK)


def test_a_bundle_of_what_is_not_repeatable_says_where(tmp_path: Path) -> None:
    """The line's text too, though the recorded run was elsewhere."""
    from tests.evaluation.replaying.replays import DRIFTING

    first = record(tmp_path / "a", DRIFTING).parent
    assert seedlock(first, "bundle", "run.json", "-o", "../run.zip").status == 0
    shutil.rmtree(first)

    done = seedlock(tmp_path, "replay", "run.zip")

    assert done.status == 1
    assert "at train.py:7: seedlock.checkpoint" in done.out
    assert "output weights.npy" in done.out


Files = dict[str, bytes]


def change(name: str, content: bytes) -> Callable[[Files], str]:
    """Return a change of a file's content."""

    def changed(files: Files) -> str:
        (found,) = (each for each in files if each.endswith(name))
        files[found] = content
        return found

    return changed


def add(name: str) -> Callable[[Files], str]:
    """Return the addition of a file."""

    def added(files: Files) -> str:
        files[name] = b"x"
        return name

    return added


def remove(name: str) -> Callable[[Files], str]:
    """Return the removal of a file."""

    def removed(files: Files) -> str:
        (found,) = (each for each in files if each.endswith(name))
        del files[found]
        return found

    return removed


def rename(files: Files) -> str:
    """Rename a file."""
    files["source/evil.py"] = files.pop("source/train.py")
    return "source/"


TAMPERING = {
    "changed source": change("source/train.py", b"print('evil')"),
    "changed output": change("weights.npy", b"x"),
    "changed trace": change(".trace.jsonl", b"{}\n"),
    "changed record": change("record.json", b"{}"),
    "changed lock": change("repro-lock.txt", b"numpy==1.0\n"),
    "added source": add("source/evil.py"),
    "added output": add("artifacts/run/output/evil"),
    "added data": add("data/evil"),
    "removed source": remove("source/train.py"),
    "removed output": remove("weights.npy"),
    "removed record": remove("record.json"),
    "renamed": rename,
}


def packed(files: Files, kind: str, with_manifest: bool) -> bytes:
    """Pack files as seedlock does; with or without a manifest that fits them."""
    stated = json.loads(files.pop("manifest.json"))["files"]
    entries = [
        Entry(name, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}",
              stated.get(name, {}).get("executable", False))
        for name, content in files.items()
    ]  # fmt: skip
    told = entries if with_manifest else [
        Entry(name, of["size"], of["sha256"], of["executable"]) for name, of in stated.items()
    ]  # fmt: skip
    text = manifest.encoded(manifest.manifest_of(told))
    out = io.BytesIO()
    writer = WRITERS[kind](out)
    writer.add(Entry("manifest.json", len(text), ""), iter([text]))
    for entry in sorted(entries, key=lambda each: each.name.encode()):
        writer.add(entry, iter([files[entry.name]]))
    writer.finish()
    return out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tampering", TAMPERING)
@pytest.mark.parametrize("with_manifest", [False, True])
def test_a_tampered_bundle_is_refused_with_the_files_name(
    folder: Path, tmp_path: Path, kind: str, tampering: str, with_manifest: bool
) -> None:
    """Also where the manifest was made to fit: then the record's digests don't. What no digest of
    the record covers (a trace's bytes, a record as a whole) is in the manifest only."""
    files = contents(folder / f"run{kind}")
    name = TAMPERING[tampering](files)
    (tmp_path / "a").write_bytes(packed(files, kind, with_manifest))
    if with_manifest and tampering == "changed trace":
        unpack(tmp_path / "a", tmp_path / "out")  # replay compares its digest with the record's
        return

    with pytest.raises(BadBundle) as problem:
        unpack(tmp_path / "a", tmp_path / "out")

    assert name in str(problem.value)
    assert not (tmp_path / "out").exists()


def test_the_manifest_has_one_text(folder: Path, tmp_path: Path) -> None:
    """A space more is a change."""
    files = contents(folder / "run.tar.gz")
    text = files.pop("manifest.json").replace(b" ", b"  ", 1)
    out = io.BytesIO()
    writer = bundle_tar.Writer(out)
    writer.add(Entry("manifest.json", len(text), ""), iter([text]))
    writer.finish()
    (tmp_path / "a").write_bytes(out.getvalue())

    with pytest.raises(BadBundle, match=r"manifest\.json was changed"):
        unpack(tmp_path / "a", tmp_path / "out")


NAMES = (
    "../evil", "source/../../evil", "/etc/evil", "source//evil", "source/./evil", "source/",
    "source/a\\b", "source/a\nb", "source/\x1b[2J", "evil", "C:/evil", "source/" + "a" * 256,
    "source/" + "a/" * 600 + "b", "",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out(name: str) -> None:
    """Nor to where no file of a bundle lies; refused by the manifest, before the archive."""
    text = manifest.encoded(manifest.Manifest((Entry(name, 1, "sha256:" + "0" * 64),)))

    with pytest.raises(BadBundle, match="is no name for a file of a bundle"):
        manifest.decoded(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("source/Model.py", "source/model.py"),
        ("source/A/x", "source/a/y"),
        ("source/a", "source/a/b"),
        ("source/\u00e4", "source/a\u0308"),
        ("source/stra\u00dfe", "source/STRASSE"),
    ],
)
def test_names_must_differ_on_every_system(first: str, second: str) -> None:
    """Case, composition, a file that is a folder too."""
    digest = "sha256:" + "0" * 64

    with pytest.raises(BadBundle, match="case does not count"):
        manifest.manifest_of([Entry(first, 1, digest), Entry(second, 1, digest)])


def test_a_listing_that_is_no_text_is_refused() -> None:
    """Also where the record has its digest: a line, and no error about letters."""
    listing = b"\xff  train.py\n"
    source = {"digest": f"sha256:{hashlib.sha256(listing).hexdigest()}"}

    with pytest.raises(BadBundle, match=r"source/train\.py is not what was recorded"):
        against_record(manifest.manifest_of([]), {"source": source}, listing)


def test_bombs_are_refused() -> None:
    """One large file, many of them, too many files."""
    digest = "sha256:" + "0" * 64
    cases = [
        [Entry("source/a", 8 << 30, digest)],
        [Entry(f"source/{n}", 7 << 30, digest) for n in range(10)],
        [Entry("record.json", 1 << 30, digest)],
        [Entry(f"source/{n}", 0, digest) for n in range(manifest.MOST_FILES + 1)],
    ]
    for entries in cases:
        with pytest.raises(BadBundle, match="allowed: "):
            manifest.manifest_of(entries)


def test_a_small_file_that_unpacks_to_much_takes_no_memory(tmp_path: Path) -> None:
    """Of 4 GiB of zeros that the manifest says nothing of, next to nothing is unpacked."""
    out = io.BytesIO()
    writer = bundle_tar.Writer(out)
    writer.add(Entry("manifest.json", 4 << 30, ""), (bytes(1 << 20) for _ in range(256)))
    (tmp_path / "a").write_bytes(out.getvalue())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(BadBundle):
        unpack(tmp_path / "a", tmp_path / "out")

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def hostile(kind: bytes, name: str, target: str = "") -> tarfile.TarInfo:
    """Return a member that no bundle has."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o644
    return info


@pytest.mark.parametrize(
    "info",
    [
        hostile(tarfile.SYMTYPE, "source/train.py", "/etc/passwd"),
        hostile(tarfile.LNKTYPE, "source/train.py", "record.json"),
        hostile(tarfile.CHRTYPE, "source/train.py"),
        hostile(tarfile.FIFOTYPE, "source/train.py"),
        hostile(tarfile.DIRTYPE, "source/train.py"),
        hostile(tarfile.REGTYPE, "../../evil"),
        hostile(tarfile.REGTYPE, "record.json"),
    ],
    ids=lambda info: f"{info.type!r} {info.name}",
)
def test_only_plain_files_are_unpacked(folder: Path, tmp_path: Path, info: tarfile.TarInfo) -> None:
    """Links, devices, second files of a name: refused with the name, and nothing is written."""
    raw = b""
    for name, content in contents(folder / "run.tar.gz").items():
        executable = name == "source/run.sh"
        block = bundle_tar.headers(Entry(name, len(content), "", executable))
        if name == "source/train.py":
            block = info.tobuf(tarfile.USTAR_FORMAT) + block
        raw += block + content + bytes(-len(content) % 512)
    raw += bytes(1024)
    data = bytearray(gzip.compress(raw, 6, mtime=0))
    data[:10] = bundle_tar.GZIP
    (tmp_path / "a").write_bytes(bytes(data))

    with pytest.raises(BadBundle, match=r"source/train\.py: .* stands in its place"):
        unpack(tmp_path / "a", tmp_path / "out")

    assert sorted(each.name for each in tmp_path.iterdir()) == ["a"]


def as_link(info: zipfile.ZipInfo) -> None:
    """Make an entry a symbolic link, as Info-ZIP stores them."""
    info.external_attr = 0o120777 << 16


def twice(info: zipfile.ZipInfo) -> None:
    """Leave it as it is: it comes a second time."""


def outside(info: zipfile.ZipInfo) -> None:
    """Lead out of the folder."""
    info.filename = info.orig_filename = "../../train.py"


@pytest.mark.parametrize("make", [as_link, twice, outside])
def test_only_plain_files_are_unpacked_from_a_zip(
    folder: Path, tmp_path: Path, make: Callable[[zipfile.ZipInfo], None]
) -> None:
    """As from a tar archive; and nothing may lie before the archive."""
    with (
        zipfile.ZipFile(folder / "run.zip") as old,
        zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "source/train.py":
                if make is twice:
                    new.writestr(info, content)
                make(info)
            with pytest.warns() if info.filename in new.namelist() else nullcontext():
                new.writestr(info, content)
    with pytest.raises(BadBundle, match=r"train\.py"):
        unpack(tmp_path / "a", tmp_path / "out")

    (tmp_path / "a").write_bytes(b"PK" + (folder / "run.zip").read_bytes())
    with pytest.raises(BadBundle, match="the archive's end was changed"):
        unpack(tmp_path / "a", tmp_path / "out")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a"]


@settings(max_examples=2 * settings().max_examples)
@given(kind=some.sampled_from(KINDS), how=some.integers(0, 4), seed=some.integers(0, 2**32))
def test_mutated_bundles(folder: Path, tmp_path: Path, kind: str, how: int, seed: int) -> None:
    """Bytes changed, cut out, put in, cut off, and, of the archive's inside, changed before it is
    packed: each a clear error; nothing is written. (Bits that no reader looks at, as those that
    fill up deflate's last byte, may change: then the content is the same to the last bit.)"""
    chance = random.Random(seed)
    data = bytearray((folder / f"run{kind}").read_bytes())
    inside = how == 4 and kind == ".tar.gz"
    if inside:
        data = bytearray(gzip.decompress(bytes(data)))
    at, length = chance.randrange(len(data)), chance.randrange(1, 64)
    if how in (0, 4):
        data[at] ^= 1 << chance.randrange(8)
    elif how == 1:
        del data[at : at + length]
    elif how == 2:
        data[at:at] = chance.randbytes(length)
    else:
        del data[at:]
    if inside:
        data = bytearray(gzip.compress(bytes(data), 6, mtime=0))
        data[:10] = bundle_tar.GZIP
    work = tmp_path / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "a").write_bytes(bytes(data))

    try:
        unpack(work / "a", work / "out")
    except BadBundle as problem:
        assert "allowed: " in str(problem) and "\n" not in str(problem)
        assert [each.name for each in work.iterdir()] == ["a"]
    else:
        assert contents(work / "a") == contents(folder / f"run{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_bundle_gives_one_line(folder: Path, tmp_path: Path, kind: str) -> None:
    """Status 78, no traceback, nothing executed, nothing left."""
    data = bytearray((folder / f"run{kind}").read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / f"run{kind}").write_bytes(bytes(data))

    done = seedlock(tmp_path, "replay", f"run{kind}", "--anyway")

    assert (done.status, done.out) == (78, "")
    assert "[docs/messages.md#bad-bundle]" in done.err
    assert len(done.err.splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == [f"run{kind}"]


def test_only_what_was_recorded_is_packed(folder: Path, tmp_path: Path) -> None:
    """A changed, new or missing source, output or lock, a running record: named with its cure,
    and no file is left."""
    changes: dict[str, Callable[[Path], object]] = {
        "source train.py": lambda at: (at / "train.py").write_text("pass"),
        "code that ran; undo the change": lambda at: (at / "train.py").write_text("pass"),
        "code that ran; take it out": lambda at: (at / "later.py").write_text("pass"),
        "code that ran; bring it back": lambda at: (at / "run.sh").unlink(),
        "output weights.npy": lambda at: (at / "run/run/output/weights.npy").write_text("x"),
        "output metrics.jsonl": lambda at: (at / "run/run/output/metrics.jsonl").unlink(),
        "says running": lambda at: _say_running(at / "run.json"),
        "leads out of the source": lambda at: _link(at / "train.py", tmp_path / "elsewhere.py"),
    }
    for number, (said, make) in enumerate(changes.items()):
        copy = tmp_path / str(number)
        shutil.copytree(folder, copy)
        make(copy)

        done = seedlock(copy, "bundle", "run.json", "-o", "new.zip")

        assert done.status == 78
        assert said in done.err
        assert not list(copy.glob("new*"))


def _say_running(path: Path) -> None:
    content = json.loads(path.read_text())
    del content["outcome"]
    path.write_text(json.dumps({**content, "status": "running"}))


def _link(path: Path, target: Path) -> None:
    shutil.move(path, target)
    path.symlink_to(target)


def test_data_is_packed_on_demand(folder: Path, tmp_path: Path) -> None:
    """And found by the replay; a set that was changed in the archive is refused."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    data = tmp_path / "sets"
    (data / "images").mkdir(parents=True)
    (data / "images" / "a.txt").write_text("1")
    (data / "labels").write_text("2")
    declared = []
    for name in ("images", "labels"):
        from seedlock.evaluation.file_digests import digest_of

        read = digest_of(data / name)
        declared.append(
            {
                "name": name, "size": read.size, "kind": read.kind, "licence": "CC0-1.0",
                "sha256": read.digest, "verified_before": True, "verified_after": True,
            }
        )  # fmt: skip
    path = copy / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "data": declared}))

    bare = seedlock(copy, "bundle", "run.json", "-o", "../bare.zip")
    full = seedlock(
        copy, "bundle", "run.json", "-o", "../full.zip", "--with-data", "--data", str(data)
    )
    assert (bare.status, full.status) == (0, 0), full.err
    assert "without data: images, labels" in bare.err
    done = seedlock(tmp_path, "replay", "bare.zip")
    assert done.status == 78 and "data images: expected sha256:" in done.out
    assert seedlock(tmp_path, "replay", "full.zip").status == 0
    files = contents(tmp_path / "full.zip")
    files["data/images/a.txt"] = b"3"
    (tmp_path / "evil.zip").write_bytes(packed(files, ".zip", True))
    with pytest.raises(BadBundle, match="data/images is not the data"):
        unpack(tmp_path / "evil.zip", tmp_path / "out")


def test_a_full_disk(folder: Path, tmp_path: Path) -> None:
    """Status 74 and the file's name; no half bundle is left. RLIMIT_FSIZE stands for the disk."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); from seedlock.cli import main;"
        "sys.exit(main(sys.argv[1:]))"
    )
    words = ["bundle", "run.json", "-o", str(tmp_path / "a.tar.gz")]

    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 74, done.stderr
    assert "a.tar.gz" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "a.tar"), "a name that ends with"),
        (("-o", ".zip"), "a name that ends with"),
        (("-o", "run.zip"), "a new file"),
        (("-o", "nowhere/a.zip"), "in a folder that is there"),
    ],
)
def test_bad_options(folder: Path, options: tuple[str, ...], said: str) -> None:
    """One line, status 2."""
    done = seedlock(folder, "bundle", "run.json", *options)

    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_kill_while_packing_leaves_no_half_bundle(folder: Path, tmp_path: Path) -> None:
    """The file has its name only when it is whole and on the disk."""
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "noise").write_bytes(random.Random(7).randbytes(30 << 20))
    record(copy, "import seedlock; seedlock.log_metric('a', 1)")
    words = [sys.executable, "-m", "seedlock", "bundle", "run.json", "-o", "../a.tar.gz"]
    process = subprocess.Popen(
        words, cwd=copy, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not list(tmp_path.glob("a.tar.gz*")):
        time.sleep(0.001)

    process.kill()
    process.wait()

    if (tmp_path / "a.tar.gz").exists():  # it was done before the signal came
        assert unpack(tmp_path / "a.tar.gz", tmp_path / "out").known
    else:
        assert process.returncode == -signal.SIGKILL


def test_a_full_disk_while_unpacking(folder: Path, tmp_path: Path) -> None:
    """Status 74; what was unpacked so far is removed, and nothing was started."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); from seedlock.cli import main;"
        "sys.exit(main(sys.argv[1:]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "replay", str(folder / "run.zip"), "--output", "out"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 74, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "bundle").exists()
