"""Starts what a transcript is told to: a Tram, or the original, with the same options.

Options are Tram's flags with underscores; for nats-server they become its configuration.
"""
import json
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from broker import Broker, wait_for

# Also where a system keeps servers and a user's PATH does not look.
NATS_SERVER = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")


def tram(options, threads, *flags):
    return Broker("--threads", str(threads), *[f"--{k.replace('_', '-')}={v}" for k, v in options.items()], *flags)


def seconds(duration):
    return float(duration[:-2]) / 1000 if duration.endswith("ms") else float(duration[:-1])


CONFIGURATION = {
    "max_message_bytes": lambda v: f"max_payload: {v}",
    "max_control_line": lambda v: f"max_control_line: {v}",
    "max_subscriptions": lambda v: f"max_subscriptions: {v}",
    "connections_max": lambda v: f"max_connections: {v}",
    "ping_interval": lambda v: f'ping_interval: "{v}"',
    "pings_max": lambda v: f"ping_max: {v}",
}


class Original:
    """nats-server on a free port of this machine."""

    def __init__(self, options):
        self.folder = tempfile.TemporaryDirectory(prefix="nats-server-")
        folder = Path(self.folder.name)
        access = [f'{key}: "{options[key]}"' for key in ("user", "password", "token") if key in options]
        if "auth_timeout" in options:
            access.append(f"timeout: {seconds(options['auth_timeout'])}")
        lines = ["host: 127.0.0.1", "port: -1", f'ports_file_dir: "{folder}"']
        lines += [CONFIGURATION[k](v) for k, v in options.items() if k in CONFIGURATION]
        lines += ["authorization { " + ", ".join(access) + " }"] if access else []
        (folder / "conf").write_text("\n".join(lines) + "\n")
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen([NATS_SERVER, "-c", folder / "conf"], stderr=log, stdin=subprocess.DEVNULL)
        try:
            ports = wait_for("the ports file of nats-server", lambda: list(folder.glob("*.ports")))[0]
            url = wait_for("what is in it", lambda: ports.read_text() and json.loads(ports.read_text())["nats"][0])
        except BaseException:
            self.close()
            raise
        self.host, self.port = url.removeprefix("nats://").rsplit(":", 1)

    def address(self, door):
        assert door == "nats"
        return self.host, int(self.port)

    def close(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.folder.cleanup()
