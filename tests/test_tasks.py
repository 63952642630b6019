"""tasks.py: a pool's task draws the same numbers, whichever worker takes it, and when."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PACKAGE, interpreter_of, make_environment
from tests.interpreter import python, reports
from tests.test_startup import interpreters

TASKS = """
import concurrent.futures as cf, functools, json, multiprocessing as mp, os, random, sys, time
try:
    import numpy.random
except ImportError:
    numpy = None

def task(*args, y=0):
    time.sleep(random.SystemRandom().random() * 0.002)  # whoever takes it, takes it at random
    drawn = [random.random(), random.Random().random()]
    if numpy:
        drawn += [numpy.random.rand(), numpy.random.default_rng().random()]
    return drawn

def lazy(x):
    # tempfile keeps a generator of its own: made in the first task of a worker that needs it
    import tempfile
    tempfile.mktemp()
    return task()

def forking(x):
    r, w = os.pipe()
    if os.fork() == 0:
        os.write(w, json.dumps(task()).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(r, 1000))

def nested(x):
    with cf.ProcessPoolExecutor(2, mp_context=mp.get_context("fork")) as executor:
        return list(executor.map(task, range(2)))

def torches(x):
    import torch
    return torch.rand(2).tolist()

class Callable:
    def __call__(self, x): return task(x)
    def method(self, x): return task(x)
    def own_pool(self, pool): return pool.map(self.method, range(3))

def start():
    random.random()  # an initializer of its own stream
"""

POOLS = (
    TASKS
    + """
def pools(n, context, **options):
    out = {}
    with context.Pool(n, **options) as p:
        rows, nine = [(i, i) for i in range(5)], range(9)
        out["map"] = p.map(task, nine)
        out["map in chunks"] = p.map(task, nine, chunksize=4)
        out["map over an iterator"] = p.map(task, iter(nine))
        out["starmap"] = p.starmap(task, rows)
        out["imap"] = list(p.imap(task, nine))
        out["imap in chunks"] = list(p.imap(task, iter(nine), chunksize=2))
        out["imap_unordered"] = sorted(p.imap_unordered(task, nine, chunksize=2))
        out["apply"] = [p.apply(task, (1,)), p.apply(task, (1,), {"y": 2})]
        out["apply_async"] = [r.get() for r in [p.apply_async(task) for i in range(5)]]
        out["map_async"] = p.map_async(task, nine).get()
        out["starmap_async"] = p.starmap_async(task, rows).get()
        called = []
        for result in [p.apply_async(task, (i,), callback=called.append) for i in range(4)]:
            result.wait()
        while len(called) < 4:
            time.sleep(0.01)
        out["callbacks"] = sorted(called)
        out["method"] = p.map(Callable().method, range(3))
        out["callable"] = p.map(Callable(), range(3))
        out["partial"] = p.map(functools.partial(task, y=2), range(3))
        out["pool of a class"] = Callable().own_pool(p)
        out["a library's generator"] = p.map(lazy, nine, chunksize=1)
        out["fork in a task"] = p.map(forking, range(4), chunksize=1)
    two = [context.Pool(n), context.Pool(n)]
    results = [p.map_async(task, range(5)) for p in two]
    out["two pools"] = [drawn for result in results for drawn in result.get()]
    for p in two:
        p.close()
        p.join()
    with cf.ProcessPoolExecutor(n, mp_context=context, initializer=start) as e:
        out["executor.map"] = list(e.map(task, nine))
        out["executor.map in chunks"] = list(e.map(task, nine, nine, chunksize=3))
        out["executor.submit"] = [r.result() for r in [e.submit(task, i) for i in range(5)]]
        out["nested"] = sum(e.map(nested, range(2)), [])
        assert list(e.map(task)) == []
    out["a child afterwards"] = [forking(0), task()]
    return out

if __name__ == "__main__":
    out = pools(int(sys.argv[2]), mp.get_context(sys.argv[1]), **eval(sys.argv[3]))
    if "seedlock" in sys.modules:
        import seedlock
        out["gaps"] = [gap for gap in seedlock.report()["gaps"] if "draw from" not in gap]
    print(json.dumps(out))
"""
)

NAMES = [line.split('"')[1] for line in POOLS.splitlines() if line.lstrip().startswith('out["')]
NAMES.remove("gaps")

WAYS = {
    "again": ("fork", "2", "{}"),
    "1 worker": ("fork", "1", "{}"),
    "4 workers": ("fork", "4", "{}"),
    "spawn": ("spawn", "2", "{}"),
    "forkserver": ("forkserver", "3", "{}"),
    "one task each": ("fork", "2", "{'maxtasksperchild': 1}"),
    "initializer": ("fork", "3", "{'initializer': start}"),
}


@pytest.fixture(scope="module", name="pools")
def _pools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the tasks drew, by the way in which the pools were made."""
    program = tmp_path_factory.mktemp("pools") / "pools.py"
    program.write_text(POOLS)
    found = {name: python(str(program), *way, REPRO_SEED="7").json() for name, way in WAYS.items()}
    found["a"] = python(str(program), "fork", "2", "{}", REPRO_SEED="7").json()
    found["b"] = python(str(program), "fork", "2", "{}", REPRO_SEED="8").json()
    found["plain"] = python(str(program), "fork", "2", "{}").json()
    return found


def numbers(found: Any) -> list[float]:
    """Return all numbers in nested lists."""
    return [each for part in found for each in numbers(part)] if type(found) is list else [found]


@pytest.mark.parametrize("way", WAYS)
def test_tasks_do_not_depend_on_their_workers(pools: dict[str, Any], way: str) -> None:
    """How many workers there are, how they are started and how long they live changes nothing."""
    assert pools[way] == pools["a"]


@pytest.mark.parametrize("name", NAMES)
def test_tasks_differ(pools: dict[str, Any], name: str) -> None:
    """From each other, and from those under another seed."""
    drawn = numbers(pools["a"][name])

    assert len(set(drawn)) == len(drawn)
    assert not set(drawn) & set(numbers(pools["b"][name]))


def test_all_tasks_of_a_run_differ(pools: dict[str, Any]) -> None:
    """Whatever way they are handed out."""
    drawn = [number for name in NAMES for number in numbers(pools["a"][name])]

    assert len(set(drawn)) == len(drawn)
    assert pools["a"]["gaps"] == []


FAULT = """
import multiprocessing as mp, numpy.random, random
others = mp.Event()
def task(x):
    if x:
        others.set()
    elif workers == 2:
        others.wait()  # the worker that takes the first leaves the others to the second
    return numpy.random.rand()
if __name__ == "__main__":
    numpy.random.seed(0); random.seed(0)
    for workers in (1, 2):
        others.clear()
        with mp.get_context("fork").Pool(workers) as p:
            print(p.map(task, range(6), chunksize=1))
"""


def test_control_plain_tasks(tmp_path: Path) -> None:
    """Plain: two workers draw the same numbers, and another number of workers gives others,
    although the program seeds. Under a seed neither holds."""
    (tmp_path / "p.py").write_text(FAULT)

    plain = [json.loads(line) for line in python("p.py", cwd=tmp_path).lines]
    seeded = [json.loads(line) for line in python("p.py", cwd=tmp_path, REPRO_SEED="7").lines]

    assert plain[0] != plain[1]
    assert len(set(plain[1])) < 6
    assert len({*seeded[0], *seeded[1]}) == 12  # two jobs


@pytest.mark.parametrize("interpreter", interpreters()[1:])
def test_every_python_gives_tasks_the_same_places(interpreter: str, tmp_path: Path) -> None:
    """Pools and executors, without frameworks, under each CPython of this machine."""
    (tmp_path / "pools.py").write_text(POOLS.replace("import numpy.random", "import none_such"))
    site_packages = make_environment(tmp_path / "venv", interpreter)
    shutil.copytree(PACKAGE, site_packages / "seedlock")
    shutil.copy(PACKAGE.parent / "a0_seedlock.pth", site_packages)
    program = str(tmp_path / "pools.py")

    own = python(program, "fork", "2", "{}", REPRO_SEED="7").json()
    other = python(
        program, "fork", "3", "{}", executable=interpreter_of(site_packages), REPRO_SEED="7"
    ).json()

    assert other == own


def test_a_library_imported_in_a_task_is_seeded_for_it(tmp_path: Path) -> None:
    """PyTorch, imported by the first task of each worker, draws by the task's place."""
    (tmp_path / "p.py").write_text(
        TASKS + "if __name__ == '__main__':\n"
        "    with mp.get_context('fork').Pool(int(sys.argv[1])) as p:\n"
        "        print(p.map(torches, range(4), chunksize=1))"
    )
    one, two = (python("p.py", n, cwd=tmp_path, REPRO_SEED="7").json() for n in "12")

    assert one == two
    assert len({number for pair in one for number in pair}) == 8


ERRORS = (
    TASKS
    + """
def bad(x): raise KeyError(x)
def tell(call):
    try: print(call())
    except Exception as problem: print(type(problem).__name__, str(problem)[:60])
if __name__ == "__main__":
    context = mp.get_context("fork")
    with context.Pool(2) as p:
        tell(lambda: p.map(bad, [1]))
        tell(lambda: p.map(lambda x: x, [1, 2]))
        tell(lambda: p.apply(lambda: 1))
        tell(lambda: p.map(abs, 5))
        tell(lambda: p.map(abs, [-1, "a"]))
        tell(lambda: p.map(abs, []))
        tell(lambda: p.starmap(divmod, [5]))
        result = p.starmap_async(divmod, [5])
        tell(result.get)
        tell(lambda: list(p.imap(bad, [1])))
        tell(lambda: p.imap(abs, [1], chunksize=0))
        tell(lambda: p.apply(3))
        failed = []
        p.map_async(bad, [2], error_callback=failed.append).wait()
        while not failed: time.sleep(0.01)
        print(failed)
    tell(lambda: p.map(abs, [1]))
    with cf.ProcessPoolExecutor(2, mp_context=context) as e:
        tell(lambda: e.submit(bad, 1).result())
        tell(lambda: e.submit(lambda: 1).result())
        tell(lambda: e.submit(3).result())
        tell(lambda: list(e.map(bad, [1])))
        tell(lambda: list(e.map(abs, 5)))
        tell(lambda: e.submit(os._exit, 3).result())
    tell(lambda: e.submit(abs, 1))
"""
)


def test_tasks_fail_as_before(tmp_path: Path) -> None:
    """Exceptions of tasks, and errors of what can't be handed out, are those of a plain run."""
    (tmp_path / "p.py").write_text(ERRORS)

    plain, seeded = python("p.py", cwd=tmp_path), python("p.py", cwd=tmp_path, REPRO_SEED="7")

    assert seeded.lines == plain.lines
    assert len(plain.lines) == 20


def test_pools_of_threads_are_left_alone(tmp_path: Path) -> None:
    """ThreadPool and multiprocessing.dummy run the author's very function, in this process."""
    (tmp_path / "p.py").write_text(
        "from multiprocessing.pool import ThreadPool\n"
        "import multiprocessing.dummy, sys\n"
        "def task(*args): return sys._getframe(1).f_code.co_filename.split('/')[-1]\n"
        "for pool in (ThreadPool(2), multiprocessing.dummy.Pool(2)):\n"
        "    print(pool.map(task, [1, 2]), pool.starmap(task, [(1, 2)]), pool.apply(task),\n"
        "          list(pool.imap(task, [3])), pool.map(lambda x: x, [1]))\n"
    )
    done = python("p.py", cwd=tmp_path, REPRO_SEED="7")
    there = "pool.py"

    assert done.lines == [str([there] * 2) + f" ['{there}'] {there} ['{there}'] [1]"] * 2


JOBLIB = (
    TASKS
    + """
def outer(x):
    return Parallel(n_jobs=2, backend="multiprocessing")(delayed(task)(i) for i in range(2))

if __name__ == "__main__":
    from joblib import Parallel, delayed
    n, out = int(sys.argv[1]), {}
    for b in ("loky", "multiprocessing"):
        out[b] = Parallel(n_jobs=n, backend=b)(delayed(task)(i) for i in range(30))
        out[b + ", list"] = Parallel(n_jobs=n, backend=b)([delayed(task)(i) for i in range(9)])
        out[b + ", batches"] = Parallel(n_jobs=n, backend=b, batch_size=3)(
            delayed(task)(i) for i in range(9))
    out["generator"] = list(Parallel(n_jobs=n, return_as="generator")(
        delayed(task)(i) for i in range(9)))
    out["lambda"] = Parallel(n_jobs=n)(delayed(lambda x: task(x))(i) for i in range(4))
    with Parallel(n_jobs=n) as parallel:
        out["twice"] = [parallel(delayed(task)(i) for i in range(3)) for _ in range(2)]
    from joblib.externals.loky import get_reusable_executor
    out["joblib's loky"] = list(get_reusable_executor(n).map(task, range(5)))
    out["a child afterwards"] = forking(0)
    print(json.dumps(out))
"""
)


def equal_for_2_and_4_workers(program: str, folder: Path) -> dict[str, Any]:
    """Run a program with 2 and 4 workers under one seed; return what both drew."""
    (folder / "p.py").write_text(program)
    two, four = (python("p.py", n, cwd=folder, REPRO_SEED="7").json() for n in "24")
    other = python("p.py", "2", cwd=folder, REPRO_SEED="8").json()
    assert two == four
    for name, drawn in two.items():
        assert len(set(numbers(drawn))) == len(numbers(drawn)), name
        assert not set(numbers(drawn)) & set(numbers(other[name])), name
    assert isinstance(two, dict)
    return two


def test_joblib(tmp_path: Path) -> None:
    """loky and multiprocessing backends, whose batches depend on timing."""
    pytest.importorskip("joblib")

    assert len(equal_for_2_and_4_workers(JOBLIB, tmp_path)) == 11


def test_joblib_in_this_process_is_plain(tmp_path: Path) -> None:
    """The sequential backend, and threads, draw from this process's streams."""
    pytest.importorskip("joblib")
    code = (
        "import random, joblib\n"
        "def task(): return random.random()\n"
        "expected = [random.random() for _ in range(4)]\n"
        "import seedlock.startup, seedlock.places; lock = seedlock.startup.in_force()\n"
        "for options in ({'n_jobs': 1}, {'n_jobs': 2, 'backend': 'threading'},\n"
        "                {'n_jobs': 2, 'backend': 'sequential'}):\n"
        "    seedlock.places.enter(lock, '')\n"
        "    found = joblib.Parallel(**options)(joblib.delayed(task)() for _ in range(4))\n"
        "    print(sorted(found) == sorted(expected))\n"
        "print([gap for gap in seedlock.report()['gaps'] if 'threads' in gap])"
    )
    (tmp_path / "p.py").write_text(code)

    done = python(str(tmp_path / "p.py"), REPRO_SEED="7")

    assert done.lines[:3] == ["True"] * 3
    assert done.lines[3].count("p.py:8") == 1


LOKY = (
    TASKS
    + """
if __name__ == "__main__":
    import loky
    n, out = int(sys.argv[1]), {}
    with loky.ProcessPoolExecutor(n, initializer=start) as e:
        out["map"] = list(e.map(task, range(9)))
        out["map in chunks"] = list(e.map(task, range(9), chunksize=4))
        out["submit"] = [r.result() for r in [e.submit(task, i) for i in range(5)]]
    out["reusable"] = list(loky.get_reusable_executor(n).map(task, range(5)))
    out["a child afterwards"] = forking(0)
    print(json.dumps(out))
"""
)


def test_loky(tmp_path: Path) -> None:
    """loky by itself."""
    pytest.importorskip("loky")

    equal_for_2_and_4_workers(LOKY, tmp_path)


def test_multiprocess(tmp_path: Path) -> None:
    """The fork of multiprocessing that Hugging Face's datasets and pathos use."""
    pytest.importorskip("multiprocess")

    equal_for_2_and_4_workers(
        TASKS + "if __name__ == '__main__':\n"
        "    import multiprocess\n"
        "    with multiprocess.Pool(int(sys.argv[1])) as p:\n"
        "        out = {'map': p.map(task, range(9)), 'lambda': p.map(lambda x: task(x), [1, 2])}\n"
        "    print(json.dumps(out))",
        tmp_path,
    )


def test_scikit_learn(tmp_path: Path) -> None:
    """A forest in threads, cross-validation in processes, without a seed of their own."""
    pytest.importorskip("sklearn")
    # Labels that no feature tells: each forest learns them by heart in its own way.
    (tmp_path / "p.py").write_text(
        "import json, sys, numpy as np\n"
        "from sklearn.ensemble import RandomForestClassifier as Forest\n"
        "from sklearn.model_selection import cross_val_score\n"
        "n = int(sys.argv[1])\n"
        "X = np.sin(np.arange(600.) ** 2).reshape(200, 3); y = np.arange(200) * 7919 % 31 % 2\n"
        "found = [Forest(20, n_jobs=n, random_state=None).fit(X, y).predict_proba(X).tolist()]\n"
        "if 'cv' in sys.argv: found.append(cross_val_score(Forest(3), X, y, n_jobs=n).tolist())\n"
        "print(json.dumps(found))"
    )
    two, four = (python("p.py", n, "cv", cwd=tmp_path, REPRO_SEED="7").json() for n in "24")
    other = python("p.py", "2", cwd=tmp_path, REPRO_SEED="8").json()
    plain = [python("p.py", "2", cwd=tmp_path).json() for _ in range(2)]

    assert two == four
    assert two[0] != other[0]
    assert plain[0] != plain[1]


LOCKED_DRAWS = """
import multiprocessing, os, sys, tempfile, uuid
def task(number):
    names = [os.path.basename(tempfile.mktemp())] if number % 2 == 0 else []
    return [*names, str(uuid.uuid4()), str(uuid.uuid1())]
with multiprocessing.get_context("fork").Pool(int(sys.argv[1])) as pool:
    print(pool.map(task, range(5), chunksize=1))
"""


def test_what_stands_for_the_system_is_the_tasks_own() -> None:
    """Under REPRO_ENTROPY=lock, names of temporary files too, whose generator a worker has once."""
    drawn = {
        python("-c", LOCKED_DRAWS, workers, REPRO_SEED="7", REPRO_ENTROPY="lock").out
        for workers in "124"
    }
    other = python("-c", LOCKED_DRAWS, "2", REPRO_SEED="8", REPRO_ENTROPY="lock").out

    assert len(drawn) == 1
    assert drawn != {other}


MISUSED = """
import multiprocessing, threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

def said(call):
    try:
        return f"{call()!r:.5}"
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"

class Bare(threading.Thread):
    def __init__(self): pass

context = multiprocessing.get_context("fork")
class BareProcess(context.Process):
    def __init__(self): pass

thread, process = threading.Thread(target=int), context.Process(target=int)
for each in (thread, process):
    each.start(); each.join()
print(said(thread.start), said(process.start), said(Bare().start), said(BareProcess().start))
process.close(); print(said(process.start))
with context.Pool(1) as pool:
    for call in (
        lambda: pool.map(int, 5), lambda: pool.map(5, [1]), lambda: pool.starmap(int, [1]),
        lambda: pool.apply_async(5).get(), lambda: pool.imap(int, 5) and "lazy",
        lambda: list(pool.imap(int, ["a"])), lambda: pool.imap(int, [1], 0),
        lambda: pool.map(int, []), lambda: pool.map(lambda x: x, [1]),
        lambda: pool.starmap(divmod, [(1, 2, 3)]),
    ): print(said(call))
print(said(lambda: pool.map(int, [1])))
for executor in (ProcessPoolExecutor(1, context), ThreadPoolExecutor(1)):
    with executor:
        for call in (
            lambda: executor.submit(), lambda: executor.submit(5).result(),
            lambda: list(executor.map(int)), lambda: list(executor.map(int, 5)),
            lambda: list(executor.map(int, ["a"])), lambda: executor.map(int, [1], chunksize=0),
            lambda: executor.submit(int, "3", base=10).result(),
        ): print(said(call))
    print(said(lambda: executor.submit(int)))
"""


def test_misuse_raises_pythons_own_errors() -> None:
    """Threads and processes that can't be started, pools that are given what is no function, no
    iterable or cannot be pickled."""
    plain = python("-c", MISUSED)

    assert "threads can only be started once" in plain.lines[0]
    assert python("-c", MISUSED, REPRO_SEED="7").lines == plain.lines


def test_threads_that_draw_are_a_gap_that_names_the_line(tmp_path: Path) -> None:
    """Threads that share a generator can't be ordered: the report says where they start."""
    (tmp_path / "p.py").write_text(
        "import random, threading, seedlock\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from multiprocessing.pool import ThreadPool\n"
        "def body(*args): random.random()\n"
        "class Own(threading.Thread):\n"
        "    def run(self): random.random()\n"
        "threading.Thread(target=body).start()\n"
        "Own().start()\n"
        "with ThreadPoolExecutor(2) as e:\n"
        "    e.submit(body)\n"
        "    list(e.map(body, [1]))\n"
        "ThreadPool(2).map(body, [1])\n"
        "threading.Timer(0, body).start()\n"
        "print([g for g in seedlock.report()['gaps'] if 'in threads' in g])\n"
    )
    gaps = python(str(tmp_path / "p.py"), REPRO_SEED="7").out

    for line in (7, 8, 10, 11, 12):
        assert f"p.py:{line} runs the program's code in threads" in gaps, line


def test_what_a_worker_draws_before_its_tasks_is_a_gap(tmp_path: Path) -> None:
    """A generator that an initializer makes gives tasks numbers by the worker that takes them;
    the report of a worker says so, though the pool is terminated."""
    (tmp_path / "p.py").write_text(
        "import multiprocessing as mp, numpy.random, random, sys\n"
        "def makes():\n    global rng\n    rng = numpy.random.default_rng()\n"
        "def draws(): random.random()\n"
        "def seeds(): random.seed(3); numpy.random.seed(3)\n"
        "def nothing(): pass\n"
        "def task(x): return 1\n"
        "with mp.get_context('fork').Pool(1, globals()[sys.argv[1]]) as p: p.map(task, [1, 2])\n"
    )
    for initializer, count in (("makes", 1), ("draws", 1), ("seeds", 0), ("nothing", 0)):
        folder = tmp_path / initializer
        python("p.py", initializer, cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(folder))
        gaps = [gap for report in reports(folder) for gap in report["gaps"]]
        assert sum("before its first task" in gap for gap in gaps) == count, initializer


SHARED_MEMORY = """
import threading, numpy, seedlock
from joblib import Parallel, delayed

total, lock = numpy.zeros(1, numpy.float32), threading.Lock()
names = set()

def add(value):
    with lock:
        names.add(threading.current_thread().name)
        total[0] += value

Parallel(n_jobs=2, require="sharedmem")(delayed(add)(1 / (i + 1)) for i in range(50))
report = seedlock.report()
print(len(names), any("sharedmem" in gap for gap in report["gaps"]))
"""


def test_threads_that_share_memory_run_in_order_at_level_strict() -> None:
    """scikit-learn's forests add up in threads when they predict, in the order they come by."""
    pytest.importorskip("joblib")

    strict = python("-c", SHARED_MEMORY, REPRO_SEED="7")
    warn = python("-c", SHARED_MEMORY, REPRO_SEED="7", REPRO_LEVEL="warn")

    assert strict.out == "1 False\n"
    assert warn.out.endswith(" True\n")
