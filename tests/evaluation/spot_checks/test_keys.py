"""Keys of authors: made once, nobody else's, and in the library's own formats."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from seedlock.errors import BadKey
from seedlock.evaluation.spot_checks import keys
from tests.evaluation.test_writing import synchronised


def test_a_key_is_its_owners_from_the_first_byte_on(tmp_path: Path) -> None:
    """Mode 0600 under any mask, PEM of PKCS #8 that OpenSSL reads, and the public half as text."""
    before = os.umask(0)
    try:
        text = keys.new(tmp_path / "me.pem", None)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "me.pem").stat().st_mode) == 0o600
    assert keys.public(keys.load(tmp_path / "me.pem", None)) == text
    shown = subprocess.run(
        ["openssl", "pkey", "-in", "me.pem", "-pubout", "-outform", "DER"], cwd=tmp_path,
        capture_output=True, check=True,
    )  # fmt: skip
    assert shown.stdout[-32:] == keys.public_bytes(text)


def test_a_new_key_survives_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are brought to the disk, then its name."""
    seen = synchronised(monkeypatch)

    keys.new(tmp_path / "me.pem", None)

    assert seen == [tmp_path / "me.pem", tmp_path]


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    """Nor is a file written through a link."""
    keys.new(tmp_path / "me.pem", None)
    before = (tmp_path / "me.pem").read_bytes()
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere")

    for name in ("me.pem", "link.pem"):
        with pytest.raises(BadKey, match="is there already"):
            keys.new(tmp_path / name, None)
    assert (tmp_path / "me.pem").read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


def test_a_passphrase_encrypts_the_file(tmp_path: Path) -> None:
    """Neither none nor another one opens it; one for a key in clear is refused, too."""
    keys.new(tmp_path / "locked.pem", b"correct horse")
    keys.new(tmp_path / "clear.pem", None)

    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "locked.pem").read_bytes()
    keys.load(tmp_path / "locked.pem", b"correct horse")
    for name, passphrase in (("locked", b"battery"), ("locked", None), ("clear", b"battery")):
        with pytest.raises(BadKey, match=r"is no key|allowed: --passphrase for an encrypted"):
            keys.load(tmp_path / f"{name}.pem", passphrase)
    with pytest.raises(BadKey, match="empty"):
        keys.new(tmp_path / "empty.pem", b"")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """As ssh does it; so is a file that is no key, or one of another kind."""
    keys.new(tmp_path / "me.pem", None)
    (tmp_path / "me.pem").chmod(0o640)
    for name, kind in (("none.pem", None), ("rsa.pem", "RSA")):
        (tmp_path / name).touch(0o600)
        if kind is not None:
            words = ["openssl", "genpkey", "-algorithm", kind, "-out", name]
            subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)

    for name, said in (("me", "0640"), ("none", "is no key"), ("rsa", "another kind"),
                       ("gone", "No such file")):  # fmt: skip
        with pytest.raises(BadKey, match=said):
            keys.load(tmp_path / f"{name}.pem", None)


@pytest.mark.parametrize(
    "text",
    ["", "ed25519:", "ed25519:AAAA", f"ed25519:{'A' * 44}", f"ed25519:{'A' * 42}B=", None, 7,
     f"rsa:{'A' * 43}=", f"ed25519:{'A' * 43}=\n"],
)  # fmt: skip
def test_a_text_that_is_no_key(text: object) -> None:
    """Another length, another spelling of the same bytes, another kind."""
    assert keys.public_bytes(text) is None
    assert keys.public_bytes(f"ed25519:{'A' * 43}=") == bytes(32)
