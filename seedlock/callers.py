"""Who called: the line of the author's code behind a call, and what that line called.

Code of libraries is what lies in the standard library's folder or in a folder of installed
packages; all else is the author's.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType, FrameType

KEPT = 5
"""How many different given values a report lists for one call site."""

TEXT = 60
"""How many characters of each."""

_LONG = 2048

GENERATED = "__autograph_generated_file"
"""Part of the name of each file that TensorFlow's AutoGraph generates."""

_STANDARD = os.path.dirname(os.__file__) + os.sep
_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_kinds: dict[str, int] = {}
_AUTHOR, _LIBRARY, _SEEDLOCK = range(3)

DEEP = 8
"""Frames of libraries from which on a way to the author's frame is remembered: walking it costs
0.12 microseconds a frame, since CPython 3.11 makes the objects as they are asked for."""

_ways: "dict[tuple[str, int, int], tuple[int, CodeType, CodeType, int]]" = {}


class Site:
    """One call site.

    Attributes:
        where: `file:line` of the author's code, or of the library's where no author's code is
            on the stack.
        function: what that line called.
        policy: what was done.
        given: text of the first `KEPT` different values.
        count: number of calls.
        package: the package that the line called, or whose code it is; empty where that is the
            author's own or written in C.
        kind: what `user_seeds` numbers its generators by; empty until it is known.
    """

    __slots__ = ("where", "function", "policy", "given", "count", "package", "kind")

    def __init__(self, where: str, function: str, policy: str, package: str = "") -> None:
        self.where = where
        self.function = function
        self.package = package
        self.kind = ""
        self.policy = policy
        self.given: list[str] = []
        self.count = 0

    def add(self, value: object) -> bool:
        """Count a call; return True when it came with a value and that is a new one."""
        self.count += 1
        if value is None or len(self.given) >= KEPT:
            return False
        text = shown(value)
        if text in self.given:
            return False
        self.given.append(text)
        return True

    def as_dict(self) -> dict[str, object]:
        """Return the site for a report."""
        return {
            "where": self.where,
            "function": self.function,
            "policy": self.policy,
            "given": list(self.given),
            "count": self.count,
        }


class Caller:
    """The author's line behind a call, also of one that a library puts off.

    Attributes:
        instruction: file, first line of the code and position in it, which tell one from another.
        where, package: as those of a `Site`.
        function: what the line called; empty where no frame of a library tells.
        importing: whether a library was being imported on the way.
    """

    __slots__ = ("instruction", "where", "package", "function", "importing")

    def __init__(self, frame: "FrameType", called_at: int) -> None:
        code = frame.f_code
        self.instruction = (code.co_filename, code.co_firstlineno, frame.f_lasti)
        self.importing = False
        self.package = self.function = ""
        file, line = written(frame)
        self.where = f"{file}:{line}"
        library = sys._getframe(called_at) if called_at else None
        if library is not None:
            module = str(library.f_globals.get("__name__"))
            self.package = module.partition(".")[0]
            called = getattr(library.f_code, "co_qualname", library.f_code.co_name)
            # CPython 3.10 does not tell of what class; generated code called what it names.
            if called != "__init__" and file == code.co_filename:
                self.function = f"{module}.{called.removesuffix('.__init__')}"
        elif is_library(code.co_filename):
            self.package = str(frame.f_globals.get("__name__")).partition(".")[0]


class Sites:
    """Call sites in the order in which they were first met."""

    def __init__(self) -> None:
        self._sites: dict[tuple[object, ...], Site] = {}

    def note(self, function: str, value: object, policy: str) -> Site | None:
        """Count a call, as `met` does; return its site when it came with a value new there."""
        site, new = self.met(function, value, policy)
        return site if new else None

    def met(
        self, function: str, value: object, policy: str, caller: Caller | None = None
    ) -> tuple[Site, bool]:
        """Count a call; return its site, and whether it came with a value that is new there.

        Args:
            function: name of what was called, where no frame of a library tells.
            value: what was given, None for nothing.
            policy: what is done about it.
            caller: who called, where the call was put off; None for whoever calls now.
        """
        if caller is None:
            frame, called_at = _author(3)
            code = frame.f_code
            # Not the code object itself, whose hash runs over all its constants.
            key = (code.co_filename, code.co_firstlineno, frame.f_lasti, policy, function)
        else:
            key = (*caller.instruction, policy, function)
        site = self._sites.get(key)
        if site is None:
            by = caller or Caller(frame, called_at)
            site = Site(by.where, by.function or function, policy, by.package)
            self._sites[key] = site
        if value is None:
            site.count += 1
            return site, False
        return site, site.add(value)

    def as_list(self) -> list[dict[str, object]]:
        """Return the sites for a report."""
        return [site.as_dict() for site in list(self._sites.values()) if site.count]

    def clear(self) -> None:
        """Forget all sites: those of the parent are not a child's."""
        self._sites.clear()


def author(above: int) -> "tuple[FrameType, FrameType | None]":
    """Return the nearest frame of the author's code and the frame of a library that it called.

    Where libraries are all there is, the outermost of their frames and None. Deep in libraries
    a frame of the author's is taken for the nearest if it stands as far away as the last time
    from the same line, and is at the same instruction or called the same function: nothing is
    missed but code of the author's that was called back in between, on a way of equal length.

    Args:
        above: how many frames above this function's to begin.
    """
    frame, called_at = _author(above + 1)
    return frame, sys._getframe(called_at - 1) if called_at else None


def calling(above: int) -> Caller:
    """Return who calls now, from `above` frames above this function's on, for `Sites.met`."""
    caller = Caller(*_author(above + 1))
    caller.importing = importing(sys._getframe(1))
    return caller


def _author(above: int) -> "tuple[FrameType, int]":
    """Return the same, with how many frames above this function's that of the library is; 0 for
    none: who only counts a call has no use for the frame, which costs half a microsecond."""
    getframe = sys._getframe
    outermost = getframe(above)
    frame: FrameType | None = outermost
    place: tuple[str, int, int] | None = None
    last: CodeType | None = None
    depth, called_at = above, 0
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        kind = _kinds.get(name)
        if kind is None:
            kind = _kinds[name] = _kind(name)
        if kind == _AUTHOR:
            if place is not None and depth - above > DEEP and called_at == depth - 1:
                assert last is not None
                _ways[place] = (depth, last, code, frame.f_lasti)
            return frame, called_at
        last = code
        if kind == _LIBRARY:
            called_at, outermost = depth, frame
            if place is None:
                place = (name, code.co_firstlineno, frame.f_lasti)
                way = _ways.get(place)
                if way is not None:
                    far, called, caller, instruction = way
                    try:
                        found = getframe(far)
                    except ValueError:
                        found = frame  # not so deep this time
                    if found.f_code is caller and found.f_lasti == instruction:
                        return found, far - 1
                    authors = _kinds.get(found.f_code.co_filename) == _AUTHOR
                    if authors and getframe(far - 1).f_code is called:
                        return found, far - 1
        depth += 1
        frame = frame.f_back
    return outermost, 0


def importing(frame: "FrameType | None") -> bool:
    """Tell whether a library is being imported on the way from the author's code to `frame`: it
    sets its own seeds then, as SciPy 1.17.1 does for its documentation (scipy.stats)."""
    while frame is not None and is_library(frame.f_code.co_filename):
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def written(frame: "FrameType") -> tuple[str, int]:
    """Return the file and line that a frame executes, as the author wrote them.

    TensorFlow traces a function from code that its AutoGraph generates from it, in a temporary
    file, and calls it in `converted_call` (TF 2.21, autograph/impl/api.py).
    """
    here = (frame.f_code.co_filename, frame.f_lineno)
    current = frame.f_back if GENERATED in here[0] else None
    while current is not None:
        if current.f_code.co_name == "converted_call":
            origins = getattr(current.f_locals.get("converted_f"), "ag_source_map", {})
            if here in origins:
                return origins[here].loc.filename, origins[here].loc.lineno
        current = current.f_back
    return here


def is_library(filename: str) -> bool:
    """Tell whether a code object's file name is that of a library."""
    return filename.startswith((_STANDARD, _OWN, "<frozen", "<__array")) or any(
        folder in filename for folder in _INSTALLED
    )


def is_author(filename: str) -> bool:
    """Tell whether a code object's file name is that of a file which the author wrote."""
    return filename.endswith(".py") and GENERATED not in filename and not is_library(filename)


def author_files(script: str, passed_over: "Collection[str]") -> list[str]:
    """Return the files of the author's modules that this process has imported, the main one's
    first.

    Args:
        script: file of the main module, which may be none of Python's.
        passed_over: names of modules to leave out.
    """
    files = {script} | {
        # What lies in it: to ask a module that is loaded lazily would load it.
        str(object.__getattribute__(module, "__dict__").get("__file__"))
        for name, module in list(sys.modules.items())
        if name not in passed_over and isinstance(module, type(sys))
    }
    return sorted(filter(is_author, files), key=lambda name: (name != script, name))


def shown(value: object) -> str:
    """Return the beginning of a given value's text; equal numbers of any type look alike."""
    if type(value) is int and value.bit_length() > _LONG:
        return f"{value:#x}"[:TEXT]  # decimal digits of such a number may be refused
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", False):
        value = value[:TEXT]  # type: ignore[index]
    tolist = getattr(value, "tolist", None)  # arrays, tensors and their scalars
    value = value if tolist is None else tolist()
    return repr(value)[:TEXT]


def _kind(filename: str) -> int:
    if filename.startswith(_OWN):
        return _SEEDLOCK
    return _LIBRARY if is_library(filename) else _AUTHOR
