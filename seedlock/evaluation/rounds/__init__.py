"""A conference's round: its policy, its hidden seeds, and the proof that nobody chose them."""
