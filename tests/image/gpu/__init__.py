"""Checks that need an NVIDIA GPU: `make test-gpu`; docs/determinism.md says where they were run."""
