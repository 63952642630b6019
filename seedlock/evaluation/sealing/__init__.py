"""Sealed runs: what a run may reach and take, by a container engine or by bubblewrap.

The way in is `seal.seal`; docs/records.md, "Sealed runs", says what each promise means.
"""
