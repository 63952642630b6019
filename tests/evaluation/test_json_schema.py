"""jsonschema is imported without its checks of addresses, and has them when they are asked for."""

from __future__ import annotations

from tests.interpreter import python

PROGRAM = """
import json, sys
from seedlock.evaluation.json_schema import jsonschema

library = jsonschema()
seen = [any(name.split(".")[0] in ("rfc3987_syntax", "lark") for name in sys.modules)]
checker = library.FormatChecker()
for rule in ("iri", "iri-reference"):
    seen += [checker.conforms(text, rule) for text in ("http://example.org/é", "http://a b/")]
seen.append("rfc3987_syntax.syntax_helpers" in sys.modules)
print(json.dumps([seen, jsonschema() is library]))
"""


def test_addresses_are_checked_when_they_are_asked_for() -> None:
    """Their grammar is not there before, and decides then."""
    seen, same = python("-c", PROGRAM).json()

    assert seen == [False, True, False, True, False, True]
    assert same


def test_a_library_that_was_imported_before_is_taken_as_it_is() -> None:
    """Also by others, who import jsonschema by its name."""
    said = python(
        "-c",
        "import jsonschema as own\n"
        "from seedlock.evaluation.json_schema import jsonschema\n"
        "print(jsonschema() is own)",
    )

    assert said.lines == ["True"]
