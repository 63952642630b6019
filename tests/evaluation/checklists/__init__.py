"""Tests of seedlock checklist: no point is answered by more than its records hold."""
