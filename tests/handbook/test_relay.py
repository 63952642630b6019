"""What the pages tell organisers to ask a beacon's relay works, on a relay of this machine.

It speaks https under the name of drand's own and answers as drand's documentation says, with round
1000 of quicknet, whose signature is known (tests/evaluation/rounds/test_beacon.py). A page names a
round of the future, which nobody can have yet; that number is all that is changed in what is typed.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from seedlock.evaluation.rounds import steps
from tests.evaluation.rounds.made_rounds import ENTRIES, moment
from tests.evaluation.rounds.test_beacon import RANDOMNESS_1000, ROUND_1000
from tests.handbook import shell
from tests.handbook.page import Block, name_of, read
from tests.interpreter import REPOSITORY

PAGE = REPOSITORY / "docs" / "guides" / "organisers.md"

TEST = "tests/handbook/test_relay.py::test_a_value_is_fetched_and_drawn"

RELAY = "api.drand.sh"

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""The hash of quicknet's chain (drand's documentation)."""

POLICY = """\
name = "drawn-2023"
seeds = 3
deadline = 2023-08-23T15:00:00Z
reveal_by = 2099-01-01T00:00:00Z

[beacon]
network = "quicknet"
round = 1000

[metrics.accuracy]
direction = "max"

[limits]
memory = "1g"
"""


class Relay(BaseHTTPRequestHandler):
    """Answers for one round, and not for another chain."""

    def do_GET(self) -> None:
        """Answer as `/CHAIN/public/ROUND` is documented to be."""
        known = self.path == f"/{QUICKNET}/public/1000"
        said = {"round": 1000, "randomness": RANDOMNESS_1000, "signature": ROUND_1000}
        body = json.dumps(said if known else {"error": "not found"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def relay(folder: Path) -> Iterator[tuple[int, Path]]:
    """Serve; yield the port, and the certificate that curl has to trust."""
    key, certificate = folder / "relay.key", folder / "relay.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={RELAY}", "-addext",
            f"subjectAltName=DNS:{RELAY}", "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, certificate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def blocks() -> list[Block]:
    """Return the page's blocks that this test is named by, with the round that is known."""
    return [
        replace(block, reason=None, commands=tuple(
            replace(each, text=re.sub(r"/public/\d+", "/public/1000", each.text))
            for each in block.commands
        ))
        for block in read(PAGE) if TEST in block.seen_by
    ]  # fmt: skip


def test_a_value_is_fetched_and_drawn(tmp_path: Path) -> None:
    """curl asks the relay for the round, and the draw takes what it says."""
    typed = blocks()
    home, place = tmp_path / "home", tmp_path / "page"
    home.mkdir()
    (place / "round").parent.mkdir()
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    this = steps.open_round(place / "round", policy, moment("2023-08-01T00:00"))
    steps.freeze_round(this, ENTRIES, moment("2023-08-23T15:30"))
    with relay(tmp_path) as (port, certificate):
        (home / ".curlrc").write_text(
            f'connect-to = "{RELAY}:443:127.0.0.1:{port}"\n'
            f'cacert = "{certificate}"\nnoproxy = "*"\n'
        )
        failure = shell.run(typed, tmp_path)

    assert typed
    assert failure is None, failure.text(name_of(PAGE))
    drawn = json.loads((place / "round" / "draw.json").read_text())
    assert drawn["beacon"]["signature"] == ROUND_1000
