"""One root seed and a path of names -> independent seeds, by SHA-256.

Never arithmetic on seeds: NumPy's and PyTorch's global generators are the same MT19937, and
`np.random.seed(42)` and `torch.manual_seed(42)` yield the same 32-bit words.

The hashed text is a row of tagged netstrings (tnetstrings.org: `length:data` and a type
character, `,` for text and `#` for an integer), which no two different paths share:
`10:seedlock/1,1:7#7:library,5:torch,` is PyTorch's stream under root seed 7. The seed is the
first `bits` bits of the digest, big-endian. entrypoint.sh does the same with `sha256sum`.

On the path of the first library's import: loads one C module.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256 as sha256
else:
    try:
        from _sha256 import sha256  # CPython 3.10 and 3.11; hashlib would load OpenSSL (3 ms)
    except ImportError:
        try:
            from _sha2 import sha256  # CPython 3.12 and later
        except ImportError:
            from hashlib import sha256

SCHEME = "seedlock/1"
"""Version of the derivation scheme, part of every hashed text. Changes with a major release."""

STREAMS = {
    "python.hash": 32,  # PYTHONHASHSEED: 0 to 4294967295 (Python, "Command line and environment")
    "python": 64,
    "numpy": 32,  # numpy.random.seed: 0 to 2**32 - 1
    "torch": 64,  # torch.manual_seed: up to 2**64 - 1
    "tensorflow": 31,  # random_seed._truncate_seed keeps a seed modulo 2**31 - 1
    "keras": 32,  # keras.utils.set_random_seed hands it to numpy.random.seed
    "mxnet": 31,  # mx.random.seed: ctypes.c_int, which wraps what is larger
    "jax": 31,  # JAX_RANDOM_SEED_OFFSET is added to an int32 when x64 is off
}
"""Each library's main stream and the number of bits that its seed may have."""


def derive(root: int, *path: "str | int", bits: int = 64) -> int:
    """Return the seed that `root` and `path` name, 0 to 2**bits - 1.

    Args:
        root: root seed, 0 to 2**64 - 1.
        path: names and integers; `"3"` and `3` are different.
        bits: size of the seed, 1 to 256.

    Raises:
        TypeError: a part of the path is neither text nor an integer.
        ValueError: `bits` is out of range.
    """
    if not 1 <= bits <= 256:
        raise ValueError(f"bits is {bits}; allowed: 1 to 256")
    text = tagged(SCHEME) + tagged(root) + b"".join([tagged(part) for part in path])
    return int.from_bytes(sha256(text).digest(), "big") >> (256 - bits)


def stream_seed(root: int, stream: str, mode: str = "derived", path: str = "") -> int:
    """Return the seed of a library's main stream (a key of `STREAMS`) under `root`.

    Args:
        root: root seed, 0 to 2**64 - 1.
        stream: a key of `STREAMS`.
        mode: `derived`, or `same` for the root seed itself (REPRO_STREAMS). JAX gets one from
            2**31 up as the int32 with the same bits, which is what `jax.random.key` makes of it.
        path: place in the family of processes and tasks (`seedlock.lineage`), empty for the
            first process. A child's streams are derived in every mode: siblings must differ.
    """
    if path:
        return derive(root, "child", path, "library", *stream.split("."), bits=STREAMS[stream])
    if mode == "same":
        return root - 2**32 if stream == "jax" and root >= 2**31 else root
    return derive(root, "library", *stream.split("."), bits=STREAMS[stream])


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return sha256(data).hexdigest()


def tagged(part: "str | int") -> bytes:
    """Return a part of a path as the netstring that is hashed.

    Raises:
        TypeError: it is neither text nor an integer.
    """
    if isinstance(part, str):
        data = part.encode("utf-8", "surrogatepass")
        return b"%d:%b," % (len(data), data)
    if isinstance(part, int) and not isinstance(part, bool):
        data = b"%d" % part
        return b"%d:%b#" % (len(data), data)
    raise TypeError(f"a part of a seed's path is {part!r}; allowed: text and integers")
