"""Runs javascript/stories.js with each of the official clients, on one loop and on three, and restarts brokers for it."""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import servers

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
    broker = servers.tram({}, threads)
    host, port = broker.address("nats")
    teller = subprocess.Popen(["node", HERE / "stories.js", client, f"{host}:{port}"], cwd=INSTALLED, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        said = []
        for line in teller.stdout:
            line = line.rstrip("\n")
            if line == "restart":
                broker.stop()
                broker.close()
                broker = servers.tram({}, threads, f"--nats-port={port}")
                teller.stdin.write("restarted\n")
                teller.stdin.flush()
            else:
                said.append(line)
                print(f"        {line}", flush=True)
        assert teller.wait(60) == 0, "\n".join(line for line in said if not line.startswith("ok "))
        assert len(said) >= 15, said
    finally:
        teller.kill()
        teller.wait()
        broker.close()


def tests():
    return [(f"the JavaScript client {client}, {threads} loops", lambda c=client, t=threads: tell(c, t))
            for client in CLIENTS for threads in (1, 3)]
