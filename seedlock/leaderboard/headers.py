"""What every answer says to browsers, and what no request may be: pure ASGI, around everything.

Sources: Content Security Policy level 3; OWASP Secure Headers. Pages have no script and load
nothing from elsewhere, so that the policy can begin with 'none'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer, under which browsers send `Origin: null` with this site's own forms (Fetch,
    # section 3.2, "append a request Origin header").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

HSTS = "max-age=31536000"
"""Sent with https: no later visit goes without it."""

NO_STORE = "no-store"


class SecurityHeaders:
    """Adds them. An answer to somebody who sent a cookie or a token is kept by no cache.

    Args:
        app: what is inside.
        secure: visitors come by https.
    """

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self.app = app
        self._headers = {**SECURITY, **({"Strict-Transport-Security": HSTS} if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        personal = "cookie" in asked or "authorization" in asked

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.add_vary_header("Cookie")
                if personal or "set-cookie" in headers:
                    headers["Cache-Control"] = NO_STORE
            await send(message)

        await self.app(scope, receive, sending)
