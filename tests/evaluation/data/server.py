"""A web server on this machine, with real sockets: answers ranges, and misbehaves on request."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOCK = 1 << 16
"""Bytes that are sent at a time."""


@dataclass
class Page:
    """What stands at an address, and how the server answers.

    Attributes:
        body: its bytes.
        cuts: for each answer, bytes of the body after which the connection is cut; None sends all.
            The last counts for all further answers.
        ranges: whether the server knows ranges.
        status: an error to answer with; 0 for none.
        headers: sent besides.
        length: whether the length is announced.
        shift: bytes by which a range that is sent lies beside the one that was asked for.
        gate: waited for before the last byte of an answer.
    """

    body: bytes
    cuts: list[int | None] = field(default_factory=lambda: [None])
    ranges: bool = True
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    length: bool = True
    shift: int = 0
    gate: threading.Event | None = None


class Server:
    """A running server.

    Attributes:
        pages: what stands where, by path.
        asked: path and `Range` header of each request, in order.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.reached = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                outer.asked.append((path, self.headers["Range"]))
                outer.answer(self, outer.pages[path])

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str, user: str = "") -> str:
        """Return the address of a page."""
        return f"{self.scheme}://{user}127.0.0.1:{self._server.server_port}{path}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, page: Page) -> None:
        """Send one answer."""
        if page.status:
            request.send_response(page.status)
            for name, value in page.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        first = 0
        given = request.headers["Range"]
        if given and page.ranges:
            first = int(given.removeprefix("bytes=").removesuffix("-")) + page.shift
            if first >= len(page.body):
                request.send_response(416)
                request.send_header("Content-Range", f"bytes */{len(page.body)}")
                request.send_header("Content-Length", "0")
                request.end_headers()
                return
            request.send_response(206)
            last = len(page.body) - 1
            request.send_header("Content-Range", f"bytes {first}-{last}/{len(page.body)}")
        else:
            request.send_response(200)
        body = page.body[first:]
        if page.length:
            request.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            request.send_header(name, value)
        request.end_headers()
        cut = page.cuts.pop(0) if len(page.cuts) > 1 else page.cuts[0]
        sent = body if cut is None else body[:cut]
        if page.gate is not None:
            request.wfile.write(sent[:-1])
            self.reached.set()
            page.gate.wait(60)
            sent = sent[-1:]
        for start in range(0, len(sent), BLOCK):
            request.wfile.write(sent[start : start + BLOCK])
        request.close_connection = True
