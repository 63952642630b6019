"""Signatures of records: what they are of, and what they are not."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadSignature
from seedlock.evaluation.spot_checks import keys, signature
from seedlock.evaluation.spot_checks.signature import DOMAIN, Statement, beside, sign, verified

CONTENT = b'{"format": "seedlock-record"}\n'
DRAW, POLICY = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A record with its signature."""
    keys.new(tmp_path / "me.pem", None)
    path = tmp_path / "run.json"
    path.write_bytes(CONTENT)
    sign(path, CONTENT, DRAW, POLICY, keys.load(tmp_path / "me.pem", None))
    return path


def test_a_signature_says_what_was_signed(record: Path) -> None:
    """Record, draw, policy and key; the same again has the same bytes."""
    statement = verified(record, CONTENT)

    assert statement.record == signature.digest(CONTENT)
    assert (statement.draw, statement.policy) == (DRAW, POLICY)
    assert beside(record).name == "run.json.sig"
    before = beside(record).read_bytes()
    sign(record, CONTENT, DRAW, POLICY, keys.load(record.parent / "me.pem", None))
    assert beside(record).read_bytes() == before


def test_it_is_ed25519_over_what_the_documents_say(record: Path) -> None:
    """Made anew here from the file's own keys: domain word, canonical JSON, the bare key."""
    content = json.loads(beside(record).read_bytes())
    given = base64.b64decode(content.pop("signature"))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))

    key = keys.load(record.parent / "me.pem", None)
    assert key.sign(b"seedlock record signature 1\0" + text.encode()) == given
    assert DOMAIN == b"seedlock record signature 1\0"


def test_one_byte_of_the_record_is_enough(record: Path) -> None:
    """Also one that JSON does not count."""
    with pytest.raises(BadSignature, match="changed after it was signed"):
        verified(record, CONTENT + b" ")


@pytest.mark.parametrize("name", ["record", "draw", "policy", "public_key", "signature"])
def test_a_changed_signature_is_none(record: Path, name: str) -> None:
    """Whatever of it was changed: to that of another file, round or key, too."""
    content = json.loads(beside(record).read_bytes())
    other = {
        "public_key": keys.new(record.parent / "other.pem", None),
        "signature": base64.b64encode(bytes(64)).decode(),
    }
    content[name] = other.get(name, f"sha256:{'3' * 64}")
    beside(record).write_text(json.dumps(content))

    with pytest.raises(BadSignature, match="does not fit"):
        verified(record, CONTENT)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"format": "other"},
        {"more": "keys"},
        {"signature": None},
        {"signature": "AAAA"},
        {"signature": "é" * 88},
        {"public_key": "ed25519:none"},
        {"draw": 7},
    ],
)
def test_a_file_of_another_form_is_refused(record: Path, change: dict[str, Any]) -> None:
    """With an error of ours, whatever stands in it."""
    content = json.loads(beside(record).read_bytes())
    beside(record).write_text(json.dumps({**content, **change}))

    with pytest.raises(BadSignature):
        verified(record, CONTENT)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, None])
def test_a_file_that_is_no_signature_is_refused(record: Path, raw: bytes | None) -> None:
    """Or that is not there."""
    beside(record).unlink()
    if raw is not None:
        beside(record).write_bytes(raw)

    with pytest.raises(BadSignature):
        verified(record, CONTENT)


def test_a_statement_is_not_the_bytes_of_another() -> None:
    """Canonical JSON: what stands in one field can't move into another."""
    one = Statement("a", "b", "c", "d").message

    assert one != Statement("a", 'b","policy":"c', "", "d").message
    assert one == Statement("a", "b", "c", "d").message
