"""Bytes from the system."""

import os

print(os.urandom(8).hex())
