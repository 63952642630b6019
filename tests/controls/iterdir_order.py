"""The order of Path.iterdir, which is the file system's, in two of them."""

import tempfile
from pathlib import Path

for parent in (None, "/dev/shm"):
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        for number in (5, 2, 8, 1, 9, 4, 7, 0, 3, 6):
            (Path(folder) / f"{number}.png").touch()
        print("".join(path.stem for path in Path(folder).iterdir()), end=" ")
print()
