"""A Python process started by subprocess."""

import subprocess
import sys

subprocess.run([sys.executable, "-c", "import random; print(random.random())"], check=True)
