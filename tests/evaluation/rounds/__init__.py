"""Tests of seedlock.evaluation.rounds."""
