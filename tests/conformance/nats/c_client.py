"""Compiles c/stories.c with the official C client, Debian's libnats-dev, and runs it."""
import shlex
import shutil
import subprocess
from pathlib import Path

import stories

SOURCE = Path(__file__).resolve().parent / "c/stories.c"
PROGRAM = Path(__file__).resolve().parents[3] / "build/tests/nats-c/stories"
COMPILER = shutil.which("gcc") or shutil.which("cc")


def flags():
    """What to compile with; None if the client is not installed."""
    if not COMPILER or not shutil.which("pkg-config"):
        return None
    asked = subprocess.run(["pkg-config", "--cflags", "--libs", "libnats"], text=True, capture_output=True)
    return shlex.split(asked.stdout) if asked.returncode == 0 else None


def tell(threads):
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([COMPILER, "-std=gnu11", "-O1", "-Wall", "-Wextra", SOURCE, *flags(), "-o", PROGRAM], check=True)
    stories.tell([PROGRAM], threads, 15)


def tests():
    if flags() is None:
        print("skipped the C client: libnats-dev, pkg-config or a C compiler is not installed")
        return []
    return [(f"the C client, {threads} loops", lambda t=threads: tell(t)) for threads in (1, 3)]
