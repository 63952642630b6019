"""The name of a temporary file."""

import os
import tempfile

with tempfile.NamedTemporaryFile() as file:
    print(os.path.basename(file.name))
