"""A UUID of the clock and the machine, after importlib.reload(uuid)."""

import importlib
import uuid

importlib.reload(uuid)
print(uuid.uuid1())
