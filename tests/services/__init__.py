"""Services from Debian, run for real: `make test-services`, which `make test` does not collect."""
