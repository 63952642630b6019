"""Who called: the line of the author's code behind a call, and what that line called.

Code of libraries is what lies in the standard library's folder or in a folder of installed
packages; all else is the author's.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

KEPT = 5
"""How many different given values a report lists for one call site."""

GENERATED = "__autograph_generated_file"
"""Part of the name of each file that TensorFlow's AutoGraph generates."""

_STANDARD = os.path.dirname(os.__file__) + os.sep
_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_of_library: dict[str, bool] = {}


class Site:
    """One call site.

    Attributes:
        where: `file:line` of the author's code, or of the library's where no author's code is
            on the stack.
        function: what that line called.
        policy: what was done.
        given: text of the first `KEPT` different values.
        count: number of calls.
    """

    __slots__ = ("where", "function", "policy", "given", "count", "_values")

    def __init__(self, where: str, function: str, policy: str) -> None:
        self.where = where
        self.function = function
        self.policy = policy
        self.given: list[str] = []
        self.count = 0
        self._values: list[object] = []

    def add(self, value: object) -> bool:
        """Count a call; return True when its value is a new one."""
        self.count += 1
        try:
            if len(self.given) >= KEPT or value in self._values:
                return False
        except ValueError:  # an array's comparison has no truth value
            return False
        self._values.append(value)
        self.given.append(repr(value)[:60])
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


class Sites:
    """Call sites in the order in which they were first met."""

    def __init__(self) -> None:
        self._sites: dict[tuple[object, ...], Site] = {}

    def note(self, function: str, value: object, policy: str) -> Site | None:
        """Count a call; return its site when it came with a value that is new there.

        Args:
            function: name of what was called, where no frame of a library tells.
            value: what was given.
            policy: what is done about it.
        """
        frame, library = author(sys._getframe(2))
        code = frame.f_code
        # Not the code object itself, whose hash runs over all its constants.
        key = (code.co_filename, code.co_firstlineno, frame.f_lasti, policy, function)
        site = self._sites.get(key)
        if site is None:
            file, line = written(frame)
            if library is not None and file == code.co_filename:
                called = getattr(library.f_code, "co_qualname", library.f_code.co_name)
                called = called.removesuffix(".__init__")
                function = f"{library.f_globals.get('__name__')}.{called}"
            site = self._sites[key] = Site(f"{file}:{line}", function, policy)
        return site if site.add(value) else None

    def as_list(self) -> list[dict[str, object]]:
        """Return the sites for a report."""
        return [site.as_dict() for site in self._sites.values()]

    def clear(self) -> None:
        """Forget all sites: those of the parent are not a child's."""
        self._sites.clear()


def author(frame: "FrameType") -> "tuple[FrameType, FrameType | None]":
    """Return the nearest frame of the author's code and the frame of a library that it called.

    Where libraries are all there is, the frame itself and None.
    """
    library: FrameType | None = None
    current: FrameType | None = frame
    while current is not None:
        name = current.f_code.co_filename
        of_library = _of_library.get(name)
        if of_library is None:
            of_library = _of_library[name] = is_library(name)
        if not of_library:
            return current, library
        if not name.startswith(_OWN):
            library = current
        current = current.f_back
    return library or frame, None


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
