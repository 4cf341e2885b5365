"""Runs programs that tell a broker stories with an official client, on one loop and on three.

Such a program gets the broker's address as its last argument, prints `ok <story>` or `FAILED <story>: <why>` for each,
and `restart` when it wants the broker restarted; a line on its standard input then says that it was.
"""
import subprocess

import servers


def tell(command, threads, count_min, folder=None):
    broker = servers.tram({}, threads)
    host, port = broker.address("nats")
    teller = subprocess.Popen([*command, f"{host}:{port}"], cwd=folder, text=True,
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
        assert len(said) >= count_min, said
    finally:
        teller.kill()
        teller.wait()
        broker.close()
