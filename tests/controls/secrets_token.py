"""A token from the system."""

import secrets

print(secrets.token_hex(8))
