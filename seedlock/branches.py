"""Seeds that are derived one after the other, as the program asks for them."""

from __future__ import annotations

from seedlock.derivation import SCHEME, sha256, tagged


class Branch:
    """Many seeds below one path: the part of the hash that they share is computed once."""

    __slots__ = ("_begin",)

    def __init__(self, root: int, *path: str | int) -> None:
        begun = sha256(tagged(SCHEME) + tagged(root) + b"".join(map(tagged, path)))
        self._begin = begun.copy

    def derive(self, *path: str | int, bits: int = 64) -> int:
        """Return `derive(root, *branch, *path, bits=bits)`."""
        hashed = self._begin()
        for part in path:
            # Called for each generator that user code makes: the common case stands here.
            if type(part) is int:
                data = b"%d" % part
                hashed.update(b"%d:%b#" % (len(data), data))
            else:
                hashed.update(tagged(part))
        return _number(hashed.digest(), "big") >> (256 - bits)


_number = int.from_bytes
