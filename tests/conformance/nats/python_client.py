"""Runs python/stories.py with the official Python client, in a virtual environment of its own."""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import stories

HERE = Path(__file__).resolve().parent / "python"
INSTALLED = Path(__file__).resolve().parents[3] / "build/tests/nats-python"


def install():
    """The client as requirements.txt names it, once."""
    wanted = hashlib.sha256((HERE / "requirements.txt").read_bytes() + sys.version.encode()).hexdigest()
    mark = INSTALLED / "installed"
    if mark.is_file() and mark.read_text() == wanted:
        return
    shutil.rmtree(INSTALLED, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", INSTALLED], check=True, stdout=sys.stdout, stderr=sys.stdout)
    subprocess.run([INSTALLED / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r",
                    HERE / "requirements.txt"], check=True, stdout=sys.stdout, stderr=sys.stdout)
    mark.write_text(wanted)


def tell(threads):
    install()
    stories.tell([INSTALLED / "bin/python", HERE / "stories.py"], threads, 12)


def tests():
    return [(f"the Python client, {threads} loops", lambda t=threads: tell(t)) for threads in (1, 3)]
