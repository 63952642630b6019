"""Serve the round that demo_round.py held: the leaderboard with one round in it.

Starts `seedlock serve`, publishes the round there with a token that is good for this alone, and
goes on serving until Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Serve the round; return the server's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="what demo_round.py was given")
    parser.add_argument("--port", default="8000", help="default: %(default)s")
    options = parser.parse_args()
    folder = Path(options.folder).absolute()
    if not (folder / "round" / "reveal.json").exists():
        print(f"{folder} holds no round that came to its end; say make demo")
        return 2
    board = folder / "board"
    seedlock = [sys.executable, "-m", "seedlock"]
    words = [*seedlock, "serve", str(board), "--port", options.port]
    server = subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert server.stdout is not None
    try:
        for line in server.stdout:
            print(line, end="", flush=True)
            if line.startswith("seedlock serve: "):
                url = line.split()[2].rstrip(",")
                status = publish(seedlock, folder / "round", board, url)
                if status != 0:
                    return status
                print(f"{url}/rounds/demo has the round; Ctrl-C ends the server", flush=True)
        return server.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        server.terminate()
        server.wait()


def publish(seedlock: list[str], folder: Path, board: Path, url: str) -> int:
    """Publish a round on a server of this machine; return the command's exit status.

    Args:
        seedlock: the command's first words.
        folder: the round's.
        board: the server's, whose database gives the token and takes it back.
        url: the server's.
    """
    from seedlock.leaderboard import tokens
    from seedlock.leaderboard.database import Database

    database = Database(board)
    with database.write() as connection:
        number, token = tokens.issue(connection, now(), "organiser", 1, note="make serve")
    with tempfile.NamedTemporaryFile("w", prefix="seedlock-token-") as file:  # of mode 0600
        file.write(f"{token}\n")
        file.flush()
        words = ["board", "publish", str(folder), "--server", url, "--token-file", file.name]
        done = subprocess.run([*seedlock, *words], stdout=subprocess.PIPE, text=True, check=False)
        print(*done.stdout.splitlines()[-1:], flush=True)
    with database.write() as connection:
        tokens.revoke(connection, number, now())
    database.close()
    return done.returncode


def now() -> int:
    """Return milliseconds since 1970."""
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
