"""A broker of its own for a test: started on free ports, and always ended.

    with Broker("--threads", "2") as broker:
        broker.connect("nats")

TRAM names the program; without it, the one that `make test` builds.
"""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TRAM") or str(ROOT / "build/dev/tram")
DOORS = ["nats", "http", "metrics", "beuss"]


def clean_environment(**more):
    """Ours, without what would set an option of the broker."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_") and k not in ("BPORT", "BMAXMESSAGESIZE")}
    return kept | more


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError(f"{what}: not within {seconds} s")


class Broker:
    def __init__(self, *flags, environment=None, preexec=None, wait=True, stderr=None):
        self.folder = tempfile.TemporaryDirectory(prefix="tram-test-")
        self.ports_file = Path(self.folder.name) / "ports.json"
        self.log_file = Path(self.folder.name) / "log"
        ports = [f"--{door}-port=0" for door in DOORS if not any(f.startswith(f"--{door}-port") for f in flags)]
        started = time.monotonic()
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", *ports, "--ports-file", str(self.ports_file), *flags],
                stderr=log if stderr is None else stderr, stdin=subprocess.DEVNULL,
                env=clean_environment(**(environment or {})), preexec_fn=preexec)
        self.addresses = {}
        if wait:
            try:
                wait_for("the ports file", self._look)
            except BaseException:
                self.close()
                raise
            self.start_seconds = time.monotonic() - started

    def _look(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the broker ended with {self.process.returncode}: {self.log()}")
        if not self.ports_file.exists():
            return False
        self.addresses = json.loads(self.ports_file.read_text())
        return True

    def log(self):
        return self.log_file.read_text(errors="replace")

    def address(self, door):
        host, port = self.addresses[door].rsplit(":", 1)
        return host.strip("[]"), int(port)

    def connect(self, door, timeout=20):
        return socket.create_connection(self.address(door), timeout=timeout)

    def metrics(self):
        """Every sample of the page, by name and labels, as {'tram_queues{shard="0"}': 1.0}."""
        with self.connect("metrics") as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            page = read_all(s).decode()
        self.page = page.split("\r\n\r\n", 1)[1]
        lines = [line for line in self.page.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def total(self, name):
        """A family's sum over its labels."""
        return sum(v for k, v in self.metrics().items() if re.fullmatch(re.escape(name) + r"(\{.*\})?", k))

    def rss_kb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def cpu_ticks(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=30):
        """Asks it to stop, and returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_all(s):
    data = b""
    while piece := s.recv(1 << 16):
        data += piece
    return data


def run_tests(tests):
    """Runs functions in turn; prints a line for each. Returns the exit code."""
    import traceback
    failed = 0
    for test in tests:
        sentence = (test.__doc__ or test.__name__).strip().splitlines()[0]
        started = time.monotonic()
        try:
            test()
            print(f"ok      {sentence} ({time.monotonic() - started:.2f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {sentence}\n{traceback.format_exc()}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0
