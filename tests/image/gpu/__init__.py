"""Checks that need an NVIDIA GPU: `make test-gpu`. They have never been run by the project."""
