"""Tests of seedlock watch: its statistics by simulation, its reading of logs by files."""
