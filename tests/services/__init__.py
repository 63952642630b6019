"""Tests against services of Debian that their own set-up installs and starts."""
