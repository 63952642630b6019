"""NVIDIA's driver, in an image for CUDA: is it new enough, and is there a GPU at all?

Asked at each start, before user code, and only where REPRO_LEAST_DRIVER is set, as the image for
CUDA does: other images pay one look at the environment. Through NVML's C interface (docs.nvidia.com,
NVML API reference): its Python package takes 40 ms to import, ctypes 6.
"""

from __future__ import annotations

from seedlock.registry import release
from seedlock.settings import LEAST_DRIVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

    from seedlock.settings import Settings

NVML = "libnvidia-ml.so.1"
"""NVML comes with the driver; NVIDIA's container runtime mounts it for the capability `utility`."""

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
        version = installed()
    except NoGpu as problem:
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


def installed() -> str:
    """Return the version of the driver of this machine's GPUs, as NVML says it.

    Raises:
        NoGpu: NVML is not there, doesn't answer, or sees no device.
    """
    from ctypes import CDLL

    try:
        nvml = CDLL(NVML)
    except OSError as problem:
        raise NoGpu(str(problem)) from problem
    _ask(nvml, "nvmlInit_v2")
    try:
        return _version(nvml)
    finally:
        nvml.nvmlShutdown()


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
