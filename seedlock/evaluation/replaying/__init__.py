"""A recorded run made again, from its record or from a bundle (docs/records.md)."""
