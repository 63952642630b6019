"""NVIDIA's driver, in an image for CUDA: is it new enough, and is there a GPU at all?

Asked at a start, before user code, and only where REPRO_LEAST_DRIVER is set, as the image for
CUDA does: elsewhere this costs one look at the environment. Through NVML's C interface
(docs.nvidia.com, NVML API reference): its Python package takes 40 ms to import, ctypes 6. Beginning
and ending NVML took 10 ms each (H100, driver 580.159.04, 2026-11-23), so that it is asked once for
a process and all below it.
"""

from __future__ import annotations

import os

from seedlock.import_hooks import finder
from seedlock.registry import release
from seedlock.settings import LEAST_DRIVER, WATCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL
    from typing import Any

    from seedlock.settings import Settings

NVML = "libnvidia-ml.so.1"
"""NVML comes with the driver; NVIDIA's container runtime mounts it for the capability `utility`."""

NOTE = "_SEEDLOCK_DRIVER"
"""Internal: the driver's version as a process above was told it, after the id of this machine's
start."""

START = "/proc/sys/kernel/random/boot_id"
"""Has the id of this machine's start (random(4)): a variable may reach another machine."""

_TASKS = "/proc/self/task"

_VERSION_BYTES = 80
"""NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE in nvml.h."""


class NoGpu(Exception):
    """There is no GPU to ask; the text says why."""


def refuse_old(settings: Settings) -> list[str]:
    """Compare the driver with the least one that this image's CUDA runs on.

    Returns:
        What this run lets pass, as gaps: no GPU, or an old driver under REPRO_LOCK=warn.

    Raises:
        OldDriver: the driver is older, and the run may not pass.
    """
    least = settings.least_driver
    if least is None:
        return []
    try:
        version = _known() or _note(_told())
    except NoGpu as problem:
        if settings.level != WATCH:
            _expect_none()
        return [f"no GPU ({problem}): this image is for CUDA and runs on the CPU here"]
    if release(version) >= release(least):
        return []
    text = f"the NVIDIA driver is {version}; this image's CUDA needs {least} or later"
    if settings.lock == "warn":
        return [text]
    from seedlock.errors import OldDriver

    raise OldDriver(
        f"{text}; update the driver of the machine, or set REPRO_LOCK=warn to go on with a gap "
        f"({LEAST_DRIVER} is set by the image)"
    )


def _known() -> str | None:
    start, _, version = os.environ.get(NOTE, "").partition(" ")
    return version if start and start == _start() else None


def _note(version: str) -> str:
    start = _start()
    if start:
        os.environ[NOTE] = f"{start} {version}"
    return version


def _start() -> str | None:
    try:
        with open(START) as file:
            return file.read().strip()
    except OSError:
        return None


def _told() -> str:
    # By a child: NVML leaves threads and open files in whoever began it, even where it is ended
    # again, and a child that is over needs no end of NVML's.
    if len(os.listdir(_TASKS)) > 1:
        return installed()  # a fork would copy locks: `seedlock.lock` in a program with threads
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            try:
                said = f"+{_answer()}"
            except NoGpu as problem:
                said = f"-{problem}"
            os.write(theirs, said.encode(errors="replace"))
        finally:
            os._exit(0)
    os.close(theirs)
    with open(ours, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # SIGCHLD is ignored, which a parent hands down
    if not said.startswith("+"):
        raise NoGpu(said[1:] or "NVML ended the process that asked it")
    return said[1:]


def installed() -> str:
    """Return the version of the driver of this machine's GPUs, as NVML says it.

    Raises:
        NoGpu: NVML is not there, doesn't answer, or sees no device.
    """
    return _answer(end=True)


def _answer(end: bool = False) -> str:
    from ctypes import CDLL

    try:
        nvml = CDLL(NVML)
    except OSError as problem:
        raise NoGpu(str(problem)) from problem
    _ask(nvml, "nvmlInit_v2")
    try:
        return _version(nvml)
    finally:
        if end:
            nvml.nvmlShutdown()


def _expect_none() -> None:
    # The report says that there is no GPU. Left to themselves, JAX 0.10.2 (xla_bridge.py,
    # discover_pjrt_plugins) prints a traceback about it and TensorFlow 2.21.0 an error.
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    finder.register("tensorflow.python.pywrap_tfe", lambda _, module: _hear(module))


def _hear(tensorflow: Any) -> None:
    # It looks for devices once in a process and complains then (cuda_platform.cc). Looking starts
    # nothing that the program's tf.config calls would have to precede.
    try:
        stderr = os.dup(2)
    except OSError:
        return  # closed: nobody would hear it
    complaints = os.memfd_create("seedlock")
    os.dup2(complaints, 2)
    try:
        tensorflow.TF_ListPhysicalDevices()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    said = os.pread(complaints, 1 << 20, 0).splitlines(keepends=True)
    os.close(complaints)
    os.write(2, b"".join(line for line in said if not any(map(line.__contains__, _EXPECTED))))


_EXPECTED = (b"failed call to cuInit", b"before absl::InitializeLog()")
"""Parts of the lines that TensorFlow prints where it finds no GPU."""


def _version(nvml: CDLL) -> str:
    from ctypes import byref, c_uint, create_string_buffer

    devices = c_uint()
    _ask(nvml, "nvmlDeviceGetCount_v2", byref(devices))
    if devices.value == 0:
        raise NoGpu("NVML sees no device")
    version = create_string_buffer(_VERSION_BYTES)
    _ask(nvml, "nvmlSystemGetDriverVersion", version, c_uint(_VERSION_BYTES))
    return version.value.decode("ascii", "replace")


def _ask(nvml: CDLL, name: str, *arguments: object) -> None:
    from ctypes import c_char_p

    status: int = getattr(nvml, name)(*arguments)
    if status != 0:
        nvml.nvmlErrorString.restype = c_char_p
        reason: bytes = nvml.nvmlErrorString(status)
        raise NoGpu(f"NVML's {name} answers {status}, {reason.decode('ascii', 'replace')}")
