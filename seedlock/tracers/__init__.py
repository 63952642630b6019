"""One file per library: what of it goes into a trace. The same outline in each."""
