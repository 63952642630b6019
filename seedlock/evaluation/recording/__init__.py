"""What describes a run completely: its record, and what is made of one (docs/records.md)."""
