"""Reference runs: what well-known models come to under a lock, and whether another lock hurts."""
