"""The interface: /api/v1, for programs, with bearer tokens only."""
