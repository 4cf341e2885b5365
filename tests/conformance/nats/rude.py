"""Clients with bad manners, and the others, who must not notice. What takes many connections or much data; the rest is
in the transcripts."""
import contextlib
import socket
import threading
import time

import servers
from transcript import Client

QUIET = b'CONNECT {"verbose":false,"pedantic":false}\r\n'


class Polite:
    """Publishes to itself, to see that the server has time for it."""

    def __init__(self, broker, name="polite"):
        self.client = Client(broker.address("nats"), False)
        self.name = name
        self.client.send(QUIET + f"SUB {name} 1\r\nPING\r\n".encode())
        assert self.client.line() == b"PONG"

    def round_trip(self):
        started = time.monotonic()
        self.client.send(f"PUB {self.name} 2\r\nhi\r\n".encode())
        assert self.client.line() == f"MSG {self.name} 1 2".encode()
        assert self.client.line() == b"hi"
        return time.monotonic() - started

    def close(self):
        self.client.socket.close()


@contextlib.contextmanager
def world(threads=1, **options):
    with servers.tram(options, threads) as broker:
        polite = Polite(broker)
        yield broker, polite
        assert polite.round_trip() < 1
        polite.close()


def connect(broker, commands=QUIET):
    s = broker.connect("nats", 20)
    s.sendall(commands)
    return s


def read_until(s, end):
    data = b""
    while not data.endswith(end):
        piece = s.recv(1 << 16)
        assert piece, f"closed after {data[-200:]!r}"
        data += piece
    return data


def subscriber_that_never_reads(threads):
    with world(threads, pending_max=1 << 20, max_message_bytes=65536, write_stall_max="500ms") as (broker, polite):
        deaf = connect(broker, QUIET + b"SUB flood 1\r\nPING\r\n")
        read_until(deaf, b"PONG\r\n")
        reader = connect(broker, QUIET + b"SUB flood 1\r\nPING\r\n")
        read_until(reader, b"PONG\r\n")
        count, size = 2000, 60000
        heard = 0

        def read():
            nonlocal heard
            while heard < count * size:
                piece = reader.recv(1 << 20)
                if not piece:
                    return
                heard += len(piece)
        thread = threading.Thread(target=read)
        thread.start()
        publisher = connect(broker)
        message = b"PUB flood %d\r\n%s\r\n" % (size, b"x" * size)
        for i in range(count):
            publisher.sendall(message)
            if i % 400 == 0:
                assert polite.round_trip() < 2
        thread.join(30)
        assert heard >= count * size, f"the one who reads got {heard} bytes of {count * size}"
        assert "event=slow_consumer" in broker.log(), broker.log()
        assert broker.rss_kb() < 200_000, broker.rss_kb()
        assert broker.total("tram_slow_consumers_total") == 1, broker.page


def publisher_that_never_reads():
    with world(write_stall_max="500ms") as (broker, polite):
        s = connect(broker)
        s.settimeout(0.5)
        with contextlib.suppress(OSError):
            for _ in range(3000):  # Every PING wants a PONG that nobody fetches.
                s.sendall(b"PING\r\n" * 10000)
        assert polite.round_trip() < 1
        assert broker.rss_kb() < 200_000, broker.rss_kb()


def huge_announcement():
    with world() as (broker, polite):
        before = broker.rss_kb()
        s = [connect(broker, QUIET + b"PUB a 999999999\r\n") for _ in range(50)]
        for one in s:
            assert b"'Maximum Payload Violation'" in read_until(one, b"\r\n-ERR 'Maximum Payload Violation'\r\n")
        # What is allowed costs nothing either before it comes.
        waiting = [connect(broker, QUIET + b"PUB a 1048576\r\n") for _ in range(200)]
        assert polite.round_trip() < 1
        assert broker.rss_kb() - before < 20_000, (before, broker.rss_kb())
        for one in s + waiting:
            one.close()


def slow_typist():
    with world() as (broker, polite):
        s = connect(broker, b"")
        read_until(s, b"\r\n")
        for byte in QUIET + b"PING\r\n":
            s.sendall(bytes([byte]))
            time.sleep(0.005)
        assert polite.round_trip() < 1
        assert s.recv(100) == b"PONG\r\n"


def many_subscriptions(threads):
    with world(threads) as (broker, polite):
        s = connect(broker, QUIET + b"".join(b"SUB many.%d %d\r\n" % (i, i) for i in range(20000)) + b"PING\r\n")
        read_until(s, b"PONG\r\n")
        publisher = connect(broker, QUIET + b"".join(b"PUB many.%d 2\r\nhi\r\n" % i for i in range(20000)) + b"PING\r\n")
        read_until(publisher, b"PONG\r\n")
        data = b""
        while data.count(b"\r\nhi\r\n") < 20000:
            data += s.recv(1 << 20)
        assert [int(line.split()[2]) for line in data.split(b"\r\n") if line.startswith(b"MSG")] == list(range(20000))
        s.close()
        polite.round_trip()


def comers_and_goers():
    with world(3) as (broker, polite):
        for i in range(300):
            s = connect(broker, QUIET + b"SUB a.* 1\r\nSUB a.> g 2\r\nPUB a.b 5\r\nhello\r\n"
                        + [b"", b"PUB a.b 100\r\nhalf", b"SUB", b"\0"][i % 4])
            if i % 3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # A reset, not a goodbye.
            s.close()
        deadline = time.monotonic() + 10
        while broker.total("tram_connections") > 1 + 1 and time.monotonic() < deadline:  # The page itself is one.
            time.sleep(0.05)
        assert broker.total("tram_connections") <= 2, broker.page
        assert broker.total("tram_subscriptions") == 1, broker.page


def stop_says_goodbye():
    with servers.tram({}, 1) as broker:
        new = connect(broker, b'CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n')
        read_until(new, b"PONG\r\n")
        old = connect(broker, b'CONNECT {"verbose":false}\r\nPING\r\n')
        read_until(old, b"PONG\r\n")
        assert broker.stop() == 0
        assert b'"ldm":true' in read_until(new, b"}\r\n")
        assert new.recv(10) == b"" and old.recv(10) == b""


def tests():
    return [
        ("a subscriber that never reads is let go, and nobody waits for it", lambda: subscriber_that_never_reads(1)),
        ("the same on three loops", lambda: subscriber_that_never_reads(3)),
        ("a client that never reads its answers is held back", publisher_that_never_reads),
        ("announcing much costs nothing", huge_announcement),
        ("a client that sends a byte at a time is waited for", slow_typist),
        ("20,000 subscriptions on a connection", lambda: many_subscriptions(1)),
        ("20,000 subscriptions on a connection, on three loops", lambda: many_subscriptions(3)),
        ("hundreds come, say half a word, and go: nothing of them is left", comers_and_goers),
        ("a broker that stops says so to clients that understand it", stop_says_goodbye),
    ]
