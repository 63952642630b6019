"""Tests of reference runs."""
