"""One file per library, the same outline in each; seedlock.registry lists them."""
