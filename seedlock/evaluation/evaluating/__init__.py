"""`seedlock evaluate`: submissions times hidden seeds, on an engine (docs/evaluate.md)."""
