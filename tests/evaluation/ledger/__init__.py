"""A round's ledger."""
