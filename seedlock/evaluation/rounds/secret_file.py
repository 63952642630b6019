"""The organiser's secret on the disk: for its owner's eyes, and under a passphrase if they want.

The passphrase becomes a key by scrypt (RFC 7914), the secret is encrypted with ChaCha20-Poly1305
(RFC 8439), both of the library cryptography; the round's format stands in the authenticated part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import BadPassphrase, BadRound, printable
from seedlock.evaluation.rounds.canonical import HEX_32, canonical, strict
from seedlock.evaluation.rounds.hidden_seeds import Secret, from_system
from seedlock.evaluation.rounds.round_files import put, raw_of

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "private"
NAME = "secret.json"

FORMAT = "seedlock-round-secret"
VERSION = 1
"""History: 1, the first."""

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
"""128 MiB and some tenths of a second for each guess (OWASP, Password Storage Cheat Sheet)."""

KDF, CIPHER = "scrypt", "chacha20-poly1305"

SALT_BYTES, NONCE_BYTES = 16, 12


def place(folder: Path) -> Path:
    """Return the path of a round's secret."""
    return folder / FOLDER / NAME


def keep(folder: Path, secret: Secret, passphrase: str | None) -> None:
    """Write a round's secret, readable by its owner only from the first byte on.

    Raises:
        BadRound: there is one already.
        OSError: it can't be written.
    """
    about: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    if passphrase is None:
        content = {**about, "secret": secret.exposed().hex()}
    else:
        salt, nonce = from_system(SALT_BYTES), from_system(NONCE_BYTES)
        about["sealed"] = {
            "kdf": KDF, "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "salt": salt.hex(),
            "cipher": CIPHER, "nonce": nonce.hex(),
        }  # fmt: skip
        key = _cipher(passphrase, salt)
        content = {**about, "text": key.encrypt(nonce, secret.exposed(), canonical(about)).hex()}
    private = folder / FOLDER
    private.mkdir(mode=0o700, exist_ok=True)
    private.chmod(0o700)
    put(place(folder), content, 0o600)


def is_sealed(folder: Path) -> bool:
    """Return whether a round's secret is under a passphrase.

    Raises:
        BadRound: it is not there or can't be read.
    """
    return "sealed" in _content(folder)


def load(folder: Path, passphrase: str | None) -> Secret:
    """Return a round's secret.

    Raises:
        BadRound: it is not there, can't be read, or is open to others than its owner.
        BadPassphrase: it is under another one than was given, or none was.
    """
    path = place(folder)
    content = _content(folder)
    if path.stat().st_mode & 0o077:
        raise BadRound(
            f"{printable(str(path), 200)} can be read by others; allowed: mode 0600; whoever may "
            "have read it knows the seeds: chmod 600 it, or open a new round"
        )
    if "sealed" not in content:
        return Secret(bytes.fromhex(content["secret"]))
    if passphrase is None:
        raise BadPassphrase(
            f"{printable(str(path), 200)} is under a passphrase and none was given; allowed: the "
            "one that the round was opened with; REPRO_PASSPHRASE_FILE names a file with it"
        )
    from cryptography.exceptions import InvalidTag

    sealed = content["sealed"]
    about = {key: content[key] for key in ("format", "version", "sealed")}
    try:
        key = _cipher(passphrase, bytes.fromhex(sealed["salt"]))
        nonce, text = bytes.fromhex(sealed["nonce"]), bytes.fromhex(content["text"])
        return Secret(key.decrypt(nonce, text, canonical(about)))
    except (InvalidTag, ValueError):
        raise BadPassphrase(
            f"{printable(str(path), 200)} does not open; allowed: the passphrase that the round "
            "was opened with, and the file as it was written"
        ) from None


def _cipher(passphrase: str, salt: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    key = Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
    return ChaCha20Poly1305(key.derive(passphrase.encode("utf-8", "surrogateescape")))


def _content(folder: Path) -> dict[str, Any]:
    path = place(folder)
    try:
        content = strict(raw_of(path))
        if not isinstance(content, dict) or content["format"] != FORMAT:
            raise ValueError
        if content["version"] != VERSION or not _complete(content):
            raise ValueError
    except (ValueError, KeyError):
        # Not `from`: an error about JSON carries the text, and this one is secret.
        raise BadRound(
            f"{printable(str(path), 200)} is no secret of a round that this seedlock knows; "
            "allowed: the file as it was written; bring it back from a copy"
        ) from None
    return content


def _complete(content: dict[str, Any]) -> bool:
    if "sealed" not in content:
        return bool(HEX_32.fullmatch(str(content["secret"])))
    sealed = content["sealed"]
    given = {key: sealed[key] for key in ("kdf", "n", "r", "p", "cipher")}
    known = {"kdf": KDF, "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "cipher": CIPHER}
    texts = (sealed["salt"], sealed["nonce"], content["text"])
    return given == known and all(isinstance(each, str) for each in texts)
