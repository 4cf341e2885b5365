"""The servers that are measured: how each is started on free ports of 127.0.0.1, watched in /proc, and stopped."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

START_SECONDS_MAX = 10
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """A server that cannot be measured here, and why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. `ports` has the port of each protocol it speaks: nats, http, beuss.
    Its output goes nowhere: writing log lines to a terminal is not what is measured."""

    def __init__(self, name, command, ports, environment=None):
        self.name, self.ports = name, ports
        self.folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, cwd=self.folder.name, env={**os.environ, **(environment or {})},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for port in ports.values():
                self.wait_for(port)
        except BaseException:
            self.stop()
            raise
        self.listening_seconds = time.monotonic() - self.started

    def wait_for(self, port):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise Missing(f"{self.name} ended at once, with exit code {self.process.returncode}")
                if time.monotonic() - self.started > START_SECONDS_MAX:
                    raise Missing(f"{self.name} did not listen on port {port} within {START_SECONDS_MAX} s")
                time.sleep(0.0005)

    @property
    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        """User and system time, of threads that have ended too; in steps of one tick, mostly 10 ms."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_bytes(self):
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise Missing(f"{self.name} is gone")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def commit_in(program):
    found = re.search(rb"vcs\.revision=([0-9a-f]{7})", open(program, "rb").read())
    return found and found[1].decode()


class Servers:
    """Makes servers. `tram` is our program; those of the originals are paths too, or None."""

    def __init__(self, tram, gophermq=None, beuss=None):
        self.tram_program = tram
        self.originals = {"gophermq": (gophermq, "GOPHERMQ"), "beuss": (beuss, "BEUSS")}

    def tram(self):
        ports = {door: free_port() for door in ("nats", "http", "beuss")}
        doors = [word for door, port in ports.items() for word in (f"--{door}-port", str(port))]
        return Server("tram", [self.tram_program, "serve", *doors, "--metrics-port", "off",
                               "--mailbox-pending-max", "10000000"], ports)

    def nats_server(self):
        program = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            raise Missing("nats-server is not installed: run tools/setup bench")
        port = free_port()
        return Server("nats-server", [program, "-a", "127.0.0.1", "-p", str(port)], {"nats": port})

    def gophermq(self):
        """Its default of 10 waiting messages would measure refusals; it gets what Tram gets."""
        port = free_port()
        return Server("gophermq", [self.original("gophermq"), "broker"], {"http": port}, {
            "GOPHERMQ_BROKER_PORT": str(port), "GOPHERMQ_BROKER_MAX__PENDING": "10000000",
            "GOPHERMQ_MONITORING_PORT": f":{free_port()}"})

    def beuss(self):
        port = free_port()
        return Server("beuss", [self.original("beuss")], {"beuss": port}, {"BPORT": str(port)})

    def original(self, name):
        """The program of an original."""
        program, variable = self.originals[name]
        if not program:
            raise Missing(f"name its program: {variable}=/path/to/program bench/run")
        if not os.access(program, os.X_OK) or os.path.isdir(program):
            raise Missing(f"{variable} names {program}, which is not a program")
        return os.path.abspath(program)

    def version(self, name):
        if name == "tram":
            return json.loads(run_text([self.tram_program, "version", "--json"]))["version"]
        if name == "nats-server":
            return run_text(["/usr/sbin/nats-server" if not shutil.which(name) else name, "--version"]).split()[-1]
        # A Go program knows the commit that it was built from, if it was built in a checkout.
        program = self.originals[name][0]
        return os.environ.get(f"{self.originals[name][1]}_VERSION") or commit_in(program) or "unknown"


def run_text(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
