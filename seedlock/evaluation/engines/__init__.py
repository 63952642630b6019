"""Where the runs of a round are carried out; the interface is in `base.py`."""
