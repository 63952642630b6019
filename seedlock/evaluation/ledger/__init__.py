"""The ledger of a round: what became of every run (docs/ledger.md)."""
