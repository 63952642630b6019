"""What an author hands in, and the check that it would stand (docs/submission.md)."""
