"""Tests of seedlock.evaluation.scores."""
