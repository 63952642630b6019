"""The order of os.scandir, which is the file system's, in two of them."""

import os
import tempfile

for parent in (None, "/dev/shm"):
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        for number in (5, 2, 8, 1, 9, 4, 7, 0, 3, 6):
            open(os.path.join(folder, f"{number}.png"), "w").close()
        print("".join(entry.name[0] for entry in os.scandir(folder)), end=" ")
print()
