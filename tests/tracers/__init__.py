"""The tracers, in real processes."""
