"""Runs javascript/stories.js with each of the official JavaScript clients."""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import stories

HERE = Path(__file__).resolve().parent / "javascript"
INSTALLED = Path(__file__).resolve().parents[3] / "build/tests/nats-javascript"
CLIENTS = ["nats", "transport-node"]


def install():
    """The clients as package-lock.json names them, once."""
    lock = (HERE / "package-lock.json").read_bytes()
    mark = INSTALLED / "installed"
    if mark.is_file() and mark.read_text() == hashlib.sha256(lock).hexdigest():
        return
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, INSTALLED)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"],
                   cwd=INSTALLED, check=True, stdout=sys.stdout, stderr=sys.stdout)
    mark.write_text(hashlib.sha256(lock).hexdigest())


def tell(client, threads):
    install()
    stories.tell(["node", HERE / "stories.js", client], threads, 15, INSTALLED)


def tests():
    return [(f"the JavaScript client {client}, {threads} loops", lambda c=client, t=threads: tell(c, t))
            for client in CLIENTS for threads in (1, 3)]
