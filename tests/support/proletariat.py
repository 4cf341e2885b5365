"""Go programs of ours, linked against the original of our Peer: github.com/digital-comrades/proletariat.

Nothing of it is in this repository, nor fetched by it. The environment variable PROLETARIAT names a folder with a checkout:

    git clone https://github.com/digital-comrades/proletariat ~/proletariat
    PROLETARIAT=~/proletariat tests/run proletariat
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

VARIABLE = "PROLETARIAT"


class Missing(Exception):
    """There is no original here, and why."""


def checkout():
    """The folder with the original. A folder that is named and is not one is a mistake, and not Missing."""
    if not shutil.which("go"):
        raise Missing("there is no Go here")
    if not os.environ.get(VARIABLE):
        raise Missing(f"{VARIABLE} is not set: it names a checkout of github.com/digital-comrades/proletariat")
    folder = Path(os.environ[VARIABLE]).expanduser().resolve()
    if not (folder / "pkg/proletariat").is_dir():
        raise RuntimeError(f"{VARIABLE} is {folder}, and that is no checkout of proletariat")
    return folder


def version():
    """The checkout's commit, if git knows it."""
    done = subprocess.run(["git", "-C", checkout(), "log", "-1", "--format=%h of %cs"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def build(source, program):
    """`program` from the Go module in the folder `source`. Both modules are joined by a workspace elsewhere, so neither's
    files name or change the other's, and the original has the very libraries that its own go.mod asks for."""
    original = checkout()
    with tempfile.TemporaryDirectory(prefix="tram-go-") as folder:
        workspace = Path(folder) / "go.work"
        workspace.write_text(f"go 1.21\n\nuse (\n\t{Path(source).resolve()}\n\t{original}\n)\n")
        done = subprocess.run(["go", "build", "-buildvcs=false", "-o", str(program), "."], cwd=source, capture_output=True,
                              text=True, timeout=600, env={**os.environ, "GOWORK": str(workspace), "GOFLAGS": ""})
        if done.returncode != 0:
            raise RuntimeError(f"{source} does not build with {original}: {done.stderr.strip()[-2000:]}")
    return str(program)
