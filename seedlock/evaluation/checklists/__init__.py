"""Reproducibility checklists of conferences, as far as records answer them (docs/checklists.md)."""
