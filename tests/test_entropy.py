"""entropy.py: what draws from the system, the order of folders, and addresses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from seedlock.hash_seed import hash_seed_variables
from seedlock.settings import Settings
from seedlock.user_seeds import DRAWN_IN_THREADS
from tests.conftest import PACKAGE
from tests.interpreter import python, reports, run

DRAWS = """
import json, os, random, secrets, sys, tempfile, uuid
draws = {
    "os.urandom": os.urandom(8).hex(),
    "secrets.token_hex": secrets.token_hex(8),
    "secrets.token_bytes": secrets.token_bytes(40).hex(),
    "secrets.randbelow": secrets.randbelow(2**64),
    "random.Random.choice": "".join(secrets.choice("abcdefghij") for _ in range(20)),
    "random.SystemRandom.random": random.SystemRandom().random(),
    "uuid.uuid4": str(uuid.uuid4()), "uuid.uuid1": str(uuid.uuid1()),
    "tempfile.mktemp": os.path.basename(tempfile.mktemp()),
    "tempfile.mkdtemp": os.path.basename(tempfile.mkdtemp(dir=".")),
}
with tempfile.NamedTemporaryFile(dir=".") as file:
    draws["tempfile.NamedTemporaryFile"] = os.path.basename(file.name)
numeric = random.random()
more = [os.urandom(0), os.urandom(1000)]
assert (more[0], len(more[1])) == (b"", 1000)
first, second = uuid.uuid1(), uuid.uuid1()
assert first != second and first.version == second.version == 1 and first.variant == uuid.RFC_4122
assert (uuid.uuid1(node=5).node, uuid.uuid1(clock_seq=5).clock_seq) == (5, 5)
assert uuid.uuid4().version == 4
errors = []
for size in (-1, "x", 1.5):
    try: os.urandom(size)
    except Exception as problem: errors.append(f"{type(problem).__name__}: {problem}")
print(json.dumps({"draws": draws, "errors": errors, "numeric": numeric}))
"""


def drawn(folder: Path, **variables: Any) -> Any:
    """Run DRAWS; return what it said, with the report's call sites by function."""
    reporting: dict[str, Any] = {}
    if "REPRO_SEED" in variables:
        reporting["REPRO_REPORT"] = str(folder / "reports")
    program = folder / "program.py"
    program.write_text(DRAWS)
    said = python(
        str(program), cwd=Path(tempfile.mkdtemp(dir=folder)), **variables, **reporting
    ).json()
    if reporting:
        (report,) = reports(folder / "reports")
        shutil.rmtree(folder / "reports")
        said["sites"] = {each["function"]: each for each in report["entropy"]}
        said["gaps"] = report["libraries"]["python"]["gaps"]
    return said


def test_draws_from_the_system_are_counted_with_their_call_sites(tmp_path: Path) -> None:
    """By default they stay as they are, and the report says where the author's code makes them
    and by which function."""
    runs = [drawn(tmp_path, REPRO_SEED="7") for _ in range(2)]
    sites = runs[0]["sites"]

    for name in runs[0]["draws"]:
        assert runs[0]["draws"][name] != runs[1]["draws"][name], name
        assert sites[name]["policy"] == "system", name
        assert sites[name]["where"].startswith(str(tmp_path / "program.py:")), name
        assert name.rpartition(".")[2] in sites[name]["line"], name
    assert sites["random.Random.choice"]["count"] >= 20
    assert runs[0]["numeric"] == runs[1]["numeric"]
    assert any("REPRO_ENTROPY=lock" in gap for gap in runs[0]["gaps"])


def test_lock_derives_them(tmp_path: Path) -> None:
    """Equal in the next run, others under another seed, and no numeric generator notices."""
    seven, again, eight = (
        drawn(tmp_path, REPRO_SEED=seed, REPRO_ENTROPY="lock") for seed in "778"
    )  # fmt: skip
    counted = drawn(tmp_path, REPRO_SEED="7")

    assert seven["draws"] == again["draws"]
    for name, value in seven["draws"].items():
        assert value != eight["draws"][name], name
        assert seven["sites"][name]["policy"] == "derived", name
    assert seven["numeric"] == counted["numeric"]
    assert len(set(seven["draws"].values())) == len(seven["draws"])


@pytest.mark.parametrize(("entropy", "policy"), [("lock", "derived"), ("count", "system")])
def test_a_lock_in_a_running_program_reaches_what_was_imported_before(
    entropy: str, policy: str
) -> None:
    """`random` took hold of os.urandom as it was imported: SystemRandom and secrets draw by it."""
    code = (
        "import random, secrets, seedlock; seedlock.lock(7)\n"
        "print(random.SystemRandom().random(), secrets.token_hex(8))\n"
        "print([each['policy'] for each in seedlock.report()['entropy']])"
    )
    one, two = (python("-c", code, REPRO_ENTROPY=entropy).lines for _ in range(2))

    assert one[1] == two[1] == str([policy] * 2)
    assert (one[0] == two[0]) is (entropy == "lock")


def test_draws_in_threads_are_a_gap() -> None:
    """Which of them gets which bytes depends on scheduling, though no line of the author's runs
    there."""
    code = (
        "import concurrent.futures, seedlock, uuid\n"
        "uuid.uuid4()\n"
        "before = seedlock.report()['gaps']\n"
        "with concurrent.futures.ThreadPoolExecutor(1) as pool: pool.submit(uuid.uuid4).result()\n"
        "print([each for each in seedlock.report()['gaps'] if each not in before])"
    )
    lines = python("-c", code, REPRO_SEED="7", REPRO_ENTROPY="lock").lines

    assert lines == [str([DRAWN_IN_THREADS])]


def test_bad_sizes_raise_pythons_own_errors(tmp_path: Path) -> None:
    """Type and text are those without seedlock."""
    plain = drawn(tmp_path)["errors"]

    assert plain == drawn(tmp_path, REPRO_SEED="7")["errors"]
    assert plain == drawn(tmp_path, REPRO_SEED="7", REPRO_ENTROPY="lock")["errors"]


def test_locked_children_draw_their_own() -> None:
    """A forked child does not repeat its parent, nor its sibling, and repeats in the next run."""
    code = (
        "import os\n"
        "print(os.urandom(4).hex(), flush=True)\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0: print(os.urandom(4).hex(), flush=True); os._exit(0)\n"
        "    os.wait()\n"
        "print(os.urandom(4).hex())"
    )
    runs = [python("-c", code, REPRO_SEED="7", REPRO_ENTROPY="lock").lines for _ in range(2)]

    assert runs[0] == runs[1] and len(set(runs[0])) == 4


def test_two_runs_under_one_seed_may_share_a_folder(tmp_path: Path) -> None:
    """Names of temporary files stay the system's by default, and differ under lock too while the
    first run's file is there."""
    code = "import tempfile; print(tempfile.mkstemp(dir='.')[1])"
    for entropy in ("count", "lock"):
        names = [
            python("-c", code, cwd=tmp_path, REPRO_SEED="7", REPRO_ENTROPY=entropy).out
            for _ in range(3)
        ]
        assert len(set(names)) == 3


TLS = """
import asyncio, json, socket, ssl
contexts = [ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)]
assert all(type(each) is ssl.SSLContext for each in contexts)
try:
    import requests
except ImportError:
    pass
def over_socket():
    here, there = socket.socketpair()
    with here, there:
        contexts[0].wrap_socket(here, server_hostname="example.org", do_handshake_on_connect=False)
def over_memory():
    contexts[0].wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.org")
said = []
for step in (over_socket, over_memory):
    try:
        step()
        said.append("done")
    except RuntimeError as problem:
        said.append(f"{type(problem).__name__}: {problem}")
print(json.dumps(said))
"""


def test_lock_refuses_tls_at_the_connection_and_not_before() -> None:
    """ssl can be imported and contexts made, as requests does at its import; a connection is an
    error with the cures. Allowed by name, and in mode count, it is as ever."""
    refused = python("-c", TLS, REPRO_SEED="7", REPRO_ENTROPY="lock").json()
    allowed: dict[str, Any] = {"REPRO_ENTROPY": "lock", "REPRO_ENTROPY_ALLOW": "ssl"}

    assert [text.split()[1] for text in refused] == [
        "ssl.SSLContext.wrap_socket",
        "ssl.SSLContext.wrap_bio",
    ]
    for text in refused:
        assert text.startswith("EntropyLocked: ")
        assert "REPRO_ENTROPY_ALLOW=ssl" in text and "messages.md#entropy-locked" in text
    for variables in (allowed, {"REPRO_ENTROPY": "count"}):
        assert python("-c", TLS, REPRO_SEED="7", **variables).json() == ["done", "done"]


FOLDERS = """
import glob, json, os, sys
from pathlib import Path
import seedlock
here = Path(".")
found = {
    "os.listdir": os.listdir("."), "os.listdir of bytes": [n.decode() for n in os.listdir(b".")],
    "os.listdir of a path": os.listdir(path=here), "os.listdir of nothing": os.listdir(),
    "glob.glob": glob.glob("*"), "glob.glob below": glob.glob("**/*", recursive=True),
    "glob.iglob": list(glob.iglob("*")),
    "Path.iterdir": [p.name for p in here.iterdir()],
    "Path.glob": [p.name for p in here.glob("*")],
    "os.walk": next(os.walk("."))[1] + next(os.walk("."))[2],
    "os.scandir": [e.name for e in os.scandir(".")],
}
folder = os.open(".", os.O_RDONLY)
found["os.listdir of a number"] = os.listdir(folder)
with os.scandir(".") as scan:
    assert next(iter(scan)).name
assert sorted(map(str, here.rglob("*"))) and os.listdir in os.supports_fd
assert os.scandir in os.supports_fd and os.listdir.__name__ == "listdir"
try: os.listdir("absent")
except FileNotFoundError as problem: assert problem.filename == "absent"
report = seedlock.report()["entropy"] if seedlock.seed is not None else []
print(json.dumps({"found": found, "sites": report}))
"""


@pytest.fixture(name="unsorted")
def _unsorted(tmp_path: Path) -> Path:
    folder = tmp_path / "unsorted"
    (folder / "below").mkdir(parents=True)
    for number in range(60):
        (folder / f"{number * 7919 % 1000:03}.txt").touch()
        (folder / "below" / f"{number * 7919 % 1000:03}.txt").touch()
    if os.listdir(folder) == sorted(os.listdir(folder)):
        pytest.skip("this file system lists folders in order by itself: there is no fault to cure")
    return folder


def test_levels_strict_and_portable_sort_folders(unsorted: Path) -> None:
    """os.listdir, glob and pathlib, whatever a path is given as, and os.walk's folders; os.scandir
    is counted only. Plain, the file system's order is another (the fault)."""
    plain = python("-c", FOLDERS, cwd=unsorted).json()["found"]
    strict = python("-c", FOLDERS, cwd=unsorted, REPRO_SEED="7").json()
    portable = python("-c", FOLDERS, cwd=unsorted, REPRO_SEED="7", REPRO_LEVEL="portable").json()

    assert portable == strict
    for name, names in strict["found"].items():
        assert sorted(names) == sorted(plain[name]), name
        assert plain[name] != sorted(plain[name]), name
        if name == "os.scandir":
            assert names == plain[name]
        elif name != "os.walk":
            assert names == sorted(names), name
    assert strict["found"]["os.walk"] == ["below", *sorted(strict["found"]["os.walk"][1:])]


@pytest.mark.parametrize("level", ["seed", "warn"])
def test_other_levels_count_only(unsorted: Path, level: str) -> None:
    """The order is the file system's, and the report says who asked for it."""
    plain = python("-c", FOLDERS, cwd=unsorted).json()["found"]
    run = python("-c", FOLDERS, cwd=unsorted, REPRO_SEED="7", REPRO_LEVEL=level).json()

    assert run["found"] == plain
    assert {"os.listdir", "glob.glob", "os.scandir"} <= {each["function"] for each in run["sites"]}
    assert {each["policy"] for each in run["sites"]} == {"counted"}


def test_each_listing_is_counted_once_where_the_author_asks(unsorted: Path) -> None:
    """With the function that the author's line calls and what was done."""
    program = unsorted.parent / "program.py"
    program.write_text("for _ in range(3): __import__('os').listdir('.')\n" + FOLDERS)
    sites = python(str(program), cwd=unsorted, REPRO_SEED="7").json()["sites"]
    first = sites[0]

    assert (first["where"], first["count"]) == (f"{program}:1", 3)
    assert (first["function"], first["policy"]) == ("os.listdir", "sorted")
    for name in ("glob.glob", "Path.iterdir", "os.scandir"):
        assert [each["count"] for each in sites if each["function"].endswith(name)], name


def test_the_interpreters_own_start_is_not_counted(tmp_path: Path) -> None:
    """A program that draws nothing has no call sites, nor has one that imports NumPy."""
    for code in ("pass", "import random, uuid, tempfile, glob", "import numpy.random"):
        python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))
    assert [report["entropy"] for report in reports(tmp_path)] == [[], [], []]


def test_names_of_sockets_are_no_draws_of_the_program(tmp_path: Path) -> None:
    """When a worker first needs a socket depends on timing: with one or without, what the program
    draws is the same, and the trace has its draws alone."""
    draw = "import tempfile, os; print(os.path.basename(tempfile.mktemp()), os.urandom(4).hex())"
    begun = "from multiprocessing import connection\n"
    socket = "print(connection.arbitrary_address('AF_UNIX'))\n"
    out = []
    for number, code in enumerate((begun + draw, begun + socket + draw)):
        place = tmp_path / str(number)
        place.mkdir()
        done = python("-c", code, REPRO_SEED="7", REPRO_ENTROPY="lock", REPRO_TRACE="step",
                      REPRO_REPORT=str(place))  # fmt: skip
        out.append(done.out.splitlines())
        (trace,) = place.glob("*.jsonl")
        assert trace.read_text().count('"op":"tempfile.') == 1

    assert (len(out[0]), len(out[1])) == (1, 2)
    assert out[0][0] == out[1][1]
    assert "pymp-" in out[1][0]


OBJECTS = (
    "class A: pass\nheld = [A() for _ in range(3000)]\n"
    "order = {id(x): i for i, x in enumerate(held)}\nprint([order[id(x)] for x in set(held)])"
)
"""So many that the set's table is larger than a page, of which only the address is random."""

SEEDLOCK = str(Path(sys.executable).with_name("seedlock"))
ENTRYPOINT = str(PACKAGE / "entrypoint" / "entrypoint.sh")


@pytest.fixture(name="_fixed_addresses")
def _fixed_addresses_allowed() -> None:
    try:
        refused = subprocess.run(["setarch", os.uname().machine, "-R", "true"], check=False)
    except FileNotFoundError:
        pytest.skip("no setarch here; tests/test_controls.py checks that the report says so")
    if refused.returncode != 0:
        pytest.skip("refused by the kernel; tests/test_controls.py checks that the report says so")
    if Path("/proc/sys/kernel/randomize_va_space").read_text() == "0\n":
        pytest.skip("addresses are not random on this machine: there is no fault to cure")


def test_what_describes_the_machine_is_no_event(tmp_path: Path) -> None:
    """Folders of the kernel's are counted, and a trace does not hold what another machine's run
    would have otherwise."""
    places = ["/sys/devices", "/sys/class", str(tmp_path)]
    code = f"import os\nfor each in {places}: os.listdir(each), [*os.scandir(each)]"
    python("-c", code, REPRO_SEED="7", REPRO_REPORT=str(tmp_path), REPRO_TRACE="step")

    [trace] = tmp_path.glob("*.trace.jsonl")
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [event["op"] for event in events if event["kind"] == "listing"] == [
        "os.listdir",
        "os.scandir",
    ]
    [report] = set(tmp_path.glob("*.json"))
    counted = json.loads(report.read_text())["entropy"]
    found = {site["function"]: site["count"] for site in counted if "string" in site["where"]}
    assert found == {"os.listdir": 3, "os.scandir": 3}


@pytest.mark.usefixtures("_fixed_addresses")
@pytest.mark.parametrize(
    "command",
    [[SEEDLOCK, "run", "--", sys.executable], [ENTRYPOINT, sys.executable], [sys.executable]],
    ids=["run", "entrypoint", "restart"],
)
def test_sets_of_plain_objects_have_one_order(command: list[str], tmp_path: Path) -> None:
    """Behind `seedlock run`, the entrypoint and a restart; plain the order varies (the fault)."""
    locked = {
        run([*command, "-c", OBJECTS], cwd=tmp_path, REPRO_SEED="7").out for _ in range(4)
    }  # fmt: skip
    plain: set[str] = set()
    for _ in range(8):
        plain.add(run([sys.executable, "-c", OBJECTS], PYTHONHASHSEED="1").out)
        if len(plain) > 1:
            break

    assert len(locked) == 1
    assert len(plain) > 1


RANDOM = "the order of sets of plain objects depends on addresses"


@pytest.mark.usefixtures("_fixed_addresses")
def test_the_report_says_whether_addresses_are_random(tmp_path: Path) -> None:
    """Switched off is a fact; left on, as by a parent that notes the hash seed, it is a gap."""
    noted: dict[str, Any] = hash_seed_variables(Settings({"REPRO_SEED": "7"}))
    for folder, variables in (
        ("off", {}), ("on", noted), ("seed", {**noted, "REPRO_LEVEL": "seed"}),
    ):  # fmt: skip
        place = str(tmp_path / folder)
        python("-c", "pass", REPRO_SEED="7", REPRO_REPORT=place, **variables)
    found = {name: reports(tmp_path / name)[0] for name in ("off", "on", "seed")}

    randomised = {name: each["machine"]["address_randomisation"] for name, each in found.items()}
    gaps = {name: any(RANDOM in gap for gap in each["gaps"]) for name, each in found.items()}
    assert randomised == {"off": False, "on": True, "seed": True}
    assert gaps == {"off": False, "on": True, "seed": False}


def test_emptying_a_folder_is_no_event(tmp_path: Path) -> None:
    """Its order does not matter, and multiprocessing does it at the end of a worker, whichever
    task that had last."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    code = "import os, shutil, sys; os.listdir(sys.argv[1]); shutil.rmtree(sys.argv[1])"

    python(
        "-c", code, str(tmp_path / "full"),
        REPRO_SEED="7", REPRO_TRACE="step", REPRO_REPORT=str(tmp_path / "r"),
    )  # fmt: skip

    trace = next((tmp_path / "r").glob("*.trace.jsonl")).read_text()
    assert trace.count('"kind":"listing"') == 1
