"""Validate RO-Crates with roc-validator, without a network: `validate_crate.py PROFILE CRATE ...`.

For the Python of `version-lock/crate.lock`. Prints a JSON list with a list for each crate: all
points of the profile that it fails, with their severity, REQUIRED or RECOMMENDED.

The validator fetches the context that a crate names. Here it gets that of RO-Crate 1.1 out of the
rocrate package, and whatever else it asks for is refused.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import Any

import requests
from requests.adapters import BaseAdapter
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Packed(BaseAdapter):  # type: ignore[misc]
    """Answers with what a package holds."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer a request for the context.

        Raises:
            requests.ConnectionError: anything else is asked for.
        """
        if request.url != CONTEXT:
            raise requests.ConnectionError(f"{request.url} would have to be fetched")
        response = requests.Response()
        response.status_code, response.url = 200, CONTEXT
        response.headers["Content-Type"] = "application/ld+json"
        response.raw = files("rocrate").joinpath("data/ro-crate.jsonld").open("rb")
        return response

    def close(self) -> None:
        """Nothing is open."""


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what would be fetched by other ways: rdflib has one of its own."""
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise ConnectionError(f"{event}: {arguments[-1]}: there is no network in a test")


def problems(profile: str, crate: str) -> list[dict[str, str]]:
    """Return the points of a profile that a crate fails."""
    settings = ValidationSettings(
        rocrate_uri=crate, profile_identifier=profile, no_cache=True,
        requirement_severity=Severity.RECOMMENDED,
    )  # fmt: skip
    for prefix in ("https://", "http://"):
        HttpRequester().session.mount(prefix, Packed())
    return [
        {"severity": each.severity.name, "said": each.message}
        for each in services.validate(settings).get_issues()
    ]


if __name__ == "__main__":
    sys.addaudithook(refuse)
    sys.stdout.write(json.dumps([problems(sys.argv[1], crate) for crate in sys.argv[2:]]))
