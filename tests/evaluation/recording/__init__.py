"""Tests of seedlock/evaluation/recording."""
