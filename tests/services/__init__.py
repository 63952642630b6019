"""Tests against services of Debian, which their own set-up brings: `make test-services`."""
