"""Tests against services of Debian, which their own set-up installs and starts (make test-services)."""
