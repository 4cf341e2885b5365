"""beuss: clients put messages, then get them, each in a queue of its own, one at a time as its clients do.

The clients share one thread of Python, which is the bottleneck; the server's CPU time is what tells servers apart.
"""
import selectors
import socket
import time

SILENCE_SECONDS_MAX = 5
ANSWER_BYTES_MAX = 4096


def content_of(client, number):
    return f"client {client} message {number} ".ljust(64, "x").encode()


class Client:
    def __init__(self, port, mode, number):
        self.number, self.mode = number, mode
        self.queue = f"bench{number}"
        self.socket = socket.create_connection(("127.0.0.1", port), SILENCE_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(mode)
        if self.socket.recv(16) != b"OK":
            raise OSError(f"{mode.decode()} was not answered with OK")
        self.done = 0

    def ask(self):
        if self.mode == b"PUT":
            self.socket.sendall(self.queue.ljust(32).encode() + content_of(self.number, self.done))
        else:
            self.socket.sendall(self.queue.encode())

    def expected(self):
        return b"OK" if self.mode == b"PUT" else content_of(self.number, self.done)


def phase(server, mode, clients, each):
    """All clients at once: (metrics, problems)."""
    selector = selectors.DefaultSelector()
    crowd = [Client(server.ports["beuss"], mode, number) for number in range(clients)]
    problems, wrong = [], 0
    try:
        for client in crowd:
            selector.register(client.socket, selectors.EVENT_READ, client)
        cpu, started = server.cpu_seconds(), time.monotonic()
        for client in crowd:
            client.ask()
        busy = clients
        while busy:
            ready = selector.select(SILENCE_SECONDS_MAX)
            if not ready:
                problems.append(f"{mode.decode()}: no answer for {SILENCE_SECONDS_MAX} s")
                break
            for key, _ in ready:
                client = key.data
                wrong += client.socket.recv(ANSWER_BYTES_MAX) != client.expected()
                client.done += 1
                if client.done < each:
                    client.ask()
                else:
                    selector.unregister(client.socket)
                    busy -= 1
        seconds, cpu = time.monotonic() - started, server.cpu_seconds() - cpu
    finally:
        selector.close()
        for client in crowd:
            client.socket.close()
    if wrong:
        problems.append(f"{mode.decode()}: {wrong} answers were not what was due")
    done = sum(client.done for client in crowd)
    return {"per_second": done / seconds, "server_cpu_seconds_per_million": cpu / max(done, 1) * 1e6}, problems


def puts_and_gets(server, clients, messages):
    """({"put": metrics, "get": metrics}, problems)."""
    put, put_problems = phase(server, b"PUT", clients, messages // clients)
    get, get_problems = phase(server, b"GET", clients, messages // clients)
    return {"put": put, "get": get}, put_problems + get_problems
