"""A UUID of the clock and the machine."""

import uuid

print(uuid.uuid1())
