"""What a server costs that does nothing: memory, memory per NATS connection, and the time until it listens."""
import resource
import socket
import time

CONNECTIONS = 10_000
HELLO = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\nPING\r\n'
ANSWER_SECONDS_MAX = 30


def may_open(count):
    """Raises this process's limit of open files as far as it may; how many of `count` fit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return count if hard == resource.RLIM_INFINITY else min(count, hard - 100)


def connect(port):
    """A NATS client that has been let in: it said CONNECT and got its PONG."""
    client = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS_MAX)
    client.sendall(HELLO)
    wait_for_pong(client)
    return client


def wait_for_pong(client):
    """Skips what else a server says: its INFO, and PINGs of its own."""
    text = b""
    while b"PONG\r\n" not in text:
        more = client.recv(4096)
        if not more:
            raise OSError("closed before PONG")
        text += more


def memory(server):
    """(metrics, problems), for a server that was just started."""
    time.sleep(1)
    idle = server.memory_bytes()
    metrics = {"memory_bytes": idle, "listening_ms": server.listening_seconds * 1000}
    count = may_open(CONNECTIONS)
    clients, problems = [], []
    try:
        for _ in range(count):
            clients.append(connect(server.ports["nats"]))
        time.sleep(1)
        with_clients = server.memory_bytes()
        metrics["bytes_per_connection"] = (with_clients - idle) / count
        for client in clients:
            client.sendall(b"PING\r\n")
        for client in clients:
            wait_for_pong(client)
    except OSError as error:
        problems.append(f"after {len(clients)} connections: {error}")
    finally:
        for client in clients:
            client.close()
    if count < CONNECTIONS:
        problems.append(f"only {count} connections: the limit of open files")
    return metrics, problems
