"""The power fails: `make test-power`, as root, and not part of `make test`."""
