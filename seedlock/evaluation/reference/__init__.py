"""Reference runs: what models come to under a lock, and whether another changes it."""
