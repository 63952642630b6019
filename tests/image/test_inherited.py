"""What the image promises and every image built FROM it keeps: the same tests for parent and child.

`make test-child IMAGE=name` runs them in an author's image. None relies on the ENTRYPOINT, which is
the author's to replace; a start without it is one more case of a run that has to be locked.
"""

from __future__ import annotations

import json
import re
import shlex
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.image import engine
from tests.image.conftest import DESCENDANTS, EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.image.tracked import TrackedContainer

# own-command sets the command alone, which no test here runs.
INHERITING = [name for name in DESCENDANTS if name != "own-command"]
pytestmark = pytest.mark.parametrize("descendant", INHERITING, indirect=True)

PARENTS = "/opt/repro /usr/lib/python3.11"
DRAW = "import random, numpy; print(hash('a'), random.random(), numpy.random.rand())"
CLOCK = "import time; print(time.tzname, time.localtime(0).tm_hour)"
WAIT_FOR_TERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print("ready", flush=True)
time.sleep(60)
"""
TIME_STAMPS = """
import pathlib, sys
for folder in sys.argv[1:]:
    for path in pathlib.Path(folder).rglob("*.pyc"):
        if path.open("rb").read(8)[4:] != b"\\1\\0\\0\\0":
            print(path)
"""
SECRET = re.compile(
    r"""
      ://[^/\s:@]+:[^/\s@]+@              # a password in an address
    | \b(AKIA|ASIA)[0-9A-Z]{16}\b         # keys of Amazon's
    | \bgh[pousr]_\w{36}                  # tokens of GitHub's
    | \bhf_\w{30}                         # tokens of Hugging Face's
    | \bsk-[\w-]{20}                      # keys of OpenAI's and others
    | BEGIN\ [A-Z ]*PRIVATE\ KEY
    """,
    re.VERBOSE,
)
SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|_proxy$", re.IGNORECASE)

# Host variables that Apptainer passes on; those that the image sets too are the host's.
LEAKING = {
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "de_DE.UTF-8",
    "TZ": "America/New_York",
    "HOME": "/home/someone",
    "USER": "someone",
    "VIRTUAL_ENV": "/home/someone/venv",
    "CONDA_PREFIX": "/home/someone/conda",
    "LD_LIBRARY_PATH": "/.singularity.d/libs",
    "XDG_RUNTIME_DIR": "/run/user/4711",
    "TMPDIR": "/scratch/job.4711",
    "SLURM_JOB_ID": "4711",
    "APPTAINER_NAME": "repro-base.sif",
}


def bypassing(container: TrackedContainer, program: str) -> TrackedContainer:
    """Return a start of that program in the place of any ENTRYPOINT."""
    return container.using(f"--entrypoint={program}")


@pytest.fixture(name="drawn")
def drawn_fixture(descendant: TrackedContainer) -> str:
    """What `DRAW` prints under seed 7 without anything else that is special."""
    return bypassing(descendant.seeded(7), "python").run("-c", DRAW).stdout


@pytest.fixture(name="apptainer")
def apptainer_fixture(descendant: TrackedContainer, tmp_path: Path) -> TrackedContainer:
    """A start as Apptainer does it: no ENTRYPOINT, the caller's uid, home folder and variables, and
    a root that can't be written (apptainer.org/docs, "Support for Docker and OCI containers")."""
    own = tmp_path / ".local" / "lib" / "python3.11" / "site-packages"
    own.mkdir(parents=True)
    (own / "numpy.py").write_text("raise SystemExit('the NumPy of the home folder')\n")
    for folder in (tmp_path, *tmp_path.rglob("*")):
        folder.chmod(0o755)
    variables = (f"--env={name}={value}" for name, value in LEAKING.items())
    return bypassing(descendant, "python").using(
        "--read-only",
        "--tmpfs=/tmp",
        "--user=4711:4711",
        f"--volume={tmp_path}:/home/someone",
        f"--volume={EXAMPLES}:/data:ro",
        "--workdir=/home/someone",
        *variables,
    )


@pytest.fixture(name="idle")
def idle_fixture(descendant: TrackedContainer) -> Iterator[str]:
    """Name of a seeded container that waits for docker exec."""
    name = f"seedlock-{uuid.uuid4().hex[:12]}"
    words = ("run", "--detach", "--rm", f"--name={name}", "--env=REPRO_SEED=7", "--network=none")
    engine.docker(*words, "--entrypoint=sleep", descendant.image, "60")
    yield name
    engine.docker("rm", "--force", name)


def configuration(image: str) -> dict[str, Any]:
    """Return an image's configuration."""
    [found] = json.loads(engine.docker("image", "inspect", image).stdout)
    return dict(found["Config"])


def test_user_has_no_rights(descendant: TrackedContainer) -> None:
    """The user is not root, and owns and may write nothing of Python, frameworks and seedlock."""
    script = f"id -u; find {PARENTS} ! -user 0; find {PARENTS} -perm /022 ! -type l"

    assert int(bypassing(descendant, "sh").run("-c", script).stdout) >= 1000


def test_byte_code_has_no_time_stamps(descendant: TrackedContainer) -> None:
    """No .pyc file of Python's, the frameworks' or seedlock's goes by the time of its source."""
    python = bypassing(descendant, "python")

    assert python.run("-c", TIME_STAMPS, *PARENTS.split()).stdout == ""


def test_time_is_utc_without_variables(descendant: TrackedContainer) -> None:
    """Time is UTC also where none of the image's variables arrives."""
    script = f"unset TZ; date +%Z; python -c {shlex.quote(CLOCK)}"

    assert bypassing(descendant, "sh").run("-c", script).stdout == "UTC\n('UTC', 'UTC') 0\n"


@pytest.mark.parametrize("user", ["12345:12345", "12345:0"])
def test_any_uid_draws_the_same(descendant: TrackedContainer, drawn: str, user: str) -> None:
    """A uid that the image does not know, in its own group or in root's, may run and write results,
    also where the root file system can't be written."""
    bare = bypassing(descendant.seeded(7), "sh").using(f"--user={user}", "--read-only")
    script = f"touch /output/result && python -c {shlex.quote(DRAW)}"

    assert bare.using("--tmpfs=/output:mode=1777").run("-c", script).stdout == drawn


def test_docker_exec_draws_the_same(idle: str, drawn: str) -> None:
    """`docker exec` into a seeded container is locked, whatever its main program."""
    assert engine.docker("exec", idle, "python", "-c", DRAW).stdout == drawn


def test_apptainer_draws_the_same(
    apptainer: TrackedContainer, descendant: TrackedContainer, drawn: str
) -> None:
    """Apptainer's way to start it changes no bit and takes no package from the home folder."""
    seeded = apptainer.seeded(7)
    plain = bypassing(descendant, "python").using(f"--volume={EXAMPLES}:/data:ro")

    assert seeded.run("-c", DRAW).stdout == drawn
    digest = seeded.run("/data/train.py").digest()
    assert digest == plain.seeded(7).run("/data/train.py").digest()
    assert digest != apptainer.seeded(8).run("/data/train.py").digest()


def test_apptainer_refuses_a_bad_seed(apptainer: TrackedContainer) -> None:
    """Without the entrypoint that checks it, a bad seed ends Python before any code of the user."""
    refused = apptainer.seeded("seven").run("-c", "print('started')", status=78)

    assert refused.stdout == ""
    assert "REPRO_SEED" in refused.stderr


def test_exit_status_and_term_arrive(descendant: TrackedContainer) -> None:
    """SIGTERM reaches Python at once, and the exit status arrives, behind any ENTRYPOINT."""
    name = f"seedlock-{uuid.uuid4().hex[:12]}"
    words = ["run", "--detach", "--network=none", f"--name={name}", "--env=REPRO_SEED=7"]
    entrypoint = configuration(descendant.image)["Entrypoint"]
    if entrypoint[-1].endswith(".py"):  # an author's program in the entrypoint takes no other
        engine.docker(*words, "--entrypoint=python", descendant.image, "-c", WAIT_FOR_TERM)
    else:
        engine.docker(*words, descendant.image, "python", "-c", WAIT_FOR_TERM)
    try:
        end = time.monotonic() + 30
        while engine.docker("logs", name).stdout != "ready\n":
            assert time.monotonic() < end
            time.sleep(0.1)
        engine.docker("stop", "--time=30", name)
        status = engine.docker("wait", name).stdout.strip()
    finally:
        engine.docker("rm", "--force", name)

    assert status == "5"  # 137 if it was killed after the 30 seconds


def test_no_secrets(descendant: TrackedContainer) -> None:
    """Neither variables, labels, history nor the files that people keep secrets in hold one."""
    image = descendant.image
    config = configuration(image)
    history = engine.docker("history", "--no-trunc", "--format={{.CreatedBy}}", image).stdout
    kept = (
        "find / -xdev \\( -name '.netrc' -o -name '.pypirc' -o -name '.git*' -o -name 'id_*' "
        "-o -name '.env' -o -name '.aws' -o -name '.ssh' -o -name '.docker' -o -name '.npmrc' "
        "-o -name '*_history' -o -name 'direct_url.json' \\) "
        "! -path '/proc/*' ! -path '*/site-packages/*/*' ! -path '/usr/share/*'; "
        "cat /etc/pip.conf /etc/environment /etc/apt/sources.list* /root/.* /home/*/.* 2>&-; true"
    )
    told = bypassing(descendant, "sh").using("--user=0").run("-c", kept).stdout

    names = [variable.partition("=")[0] for variable in config["Env"]]
    assert [name for name in names if SECRET_NAME.search(name)] == []
    assert not SECRET.search(json.dumps(config) + history + told)
    assert [line for line in told.splitlines() if line.startswith("/")] == []
