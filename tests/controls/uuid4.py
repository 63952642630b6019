"""A random UUID."""

import uuid

print(uuid.uuid4())
