"""jsonschema, without the second of processor time that its checks of addresses take to import.

Where `jsonschema[format-nongpl]` is installed, which CycloneDX's library wants, jsonschema imports
rfc3987_syntax, which compiles a grammar of addresses: nine tenths of the time of its import. A
record's schema has no addresses. A function stands in for theirs, and imports it when an address
is checked.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

ADDRESSES = "rfc3987_syntax"


def _is_valid_syntax(*args: Any, **options: Any) -> Any:
    return importlib.import_module(ADDRESSES).is_valid_syntax(*args, **options)


def jsonschema() -> Any:
    """Return the module jsonschema.

    Raises:
        ImportError: it is not installed.
    """
    loaded = "jsonschema" in sys.modules or ADDRESSES in sys.modules
    if loaded or importlib.util.find_spec(ADDRESSES) is None:
        return importlib.import_module("jsonschema")
    stand_in = ModuleType(ADDRESSES)
    stand_in.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]
    sys.modules[ADDRESSES] = stand_in
    try:
        return importlib.import_module("jsonschema")
    finally:
        del sys.modules[ADDRESSES]
