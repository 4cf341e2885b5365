#!/usr/bin/env python3
"""A stand-in for a broker's queues on any NATS server: answers $TRAM.> as the contract says.

    fake_queues.py nats://127.0.0.1:4222

Everything is in memory, first in first out, with leases that end when they are released or
time out. It exists to try the client and the command line without a broker; it prints
"ready" on standard error once it answers.
"""
import json
import socket
import sys
import time

ERRORS = {
    "queue_not_found": "there is no queue of that name",
    "lease_ended": "the lease has ended: the message went back to its queue or to someone else",
    "invalid_json": "the body is not the JSON that this request takes",
    "unknown_request": "there is no such request",
}


class Wire:
    def __init__(self, url):
        host, port = url.removeprefix("nats://").rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.bytes = b""
        self.line()
        self.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true,"protocol":1}\r\n')

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return False
        if not data:
            sys.exit("the server closed the connection")
        self.bytes += data
        return True

    def line(self):
        while b"\r\n" not in self.bytes:
            if not self.fill():
                return None
        line, self.bytes = self.bytes.split(b"\r\n", 1)
        return line.decode()

    def exactly(self, count):
        while len(self.bytes) < count:
            self.socket.settimeout(None)
            self.fill()
        data, self.bytes = self.bytes[:count], self.bytes[count:]
        return data

    def publish(self, subject, body, headers=None, reply=""):
        if not subject:
            return
        reply = reply + " " if reply else ""
        if headers is None:
            self.send(f"PUB {subject} {reply}{len(body)}\r\n".encode() + body + b"\r\n")
        else:
            self.send(
                f"HPUB {subject} {reply}{len(headers)} {len(headers) + len(body)}\r\n".encode()
                + headers + body + b"\r\n")


class Queue:
    def __init__(self):
        self.ready, self.leased, self.takers = [], {}, []
        self.puts = self.gets = 0


class Fake:
    def __init__(self, url):
        self.wire = Wire(url)
        self.queues = {}
        self.last_id = self.last_token = 0
        self.wire.send(b"SUB $TRAM.> 1\r\nPING\r\n")

    def error(self, reply, code):
        body = json.dumps({"error": {"code": code, "message": ERRORS[code]}}).encode()
        self.wire.publish(reply, body, f"NATS/1.0\r\nTram-Error: {code}\r\n\r\n".encode())

    def json(self, reply, value):
        self.wire.publish(reply, json.dumps(value, separators=(",", ":")).encode())

    def status(self, reply, text):
        self.wire.publish(reply, b"", f"NATS/1.0 {text}\r\n\r\n".encode())

    def info(self, name):
        queue = self.queues[name]
        age = int((time.time() - queue.ready[0]["at"]) * 1000) if queue.ready else 0
        size = sum(len(m["body"]) for m in queue.ready)
        return {"name": name, "ready": len(queue.ready), "leased": len(queue.leased),
                "bytes": size, "waiting_takers": len(queue.takers), "puts": queue.puts,
                "deliveries": queue.gets, "oldest_ready_age_ms": age}

    def deliver(self, name, message, taker):
        queue = self.queues[name]
        message["attempt"] += 1
        headers = f"Tram-Id: {message['id']}\r\nTram-Queue: {name}\r\nTram-Attempt: {message['attempt']}\r\n"
        reply = ""
        if taker["lease"]:
            self.last_token += 1
            token = f"t{self.last_token}"
            queue.leased[(message["id"], token)] = (message, time.time() + taker["lease"])
            headers += f"Tram-Lease: {token}\r\n"
            reply = f"$TRAM.ACK.{name}.{message['id']}.{token}"
        else:
            queue.gets += 1
        block = b"NATS/1.0\r\n" + headers.encode() + message["headers"] + b"\r\n"
        self.wire.publish(taker["reply"], message["body"], block, reply)
        taker["n"] -= 1
        taker["got"] += 1

    def serve(self, name):
        queue = self.queues[name]
        now = time.time()
        for key, (message, until) in list(queue.leased.items()):
            if until <= now:
                del queue.leased[key]
                self.put_back(queue, message)
        for taker in list(queue.takers):
            while queue.ready and taker["n"]:
                self.deliver(name, queue.ready.pop(0), taker)
            over = taker["got"] or taker["until"] <= now
            if taker["n"] and over:
                self.status(taker["reply"], "408 Request Timeout" if taker["waits"] else "404 No Messages")
            if not taker["n"] or over:
                queue.takers.remove(taker)

    def put_back(self, queue, message):
        queue.ready.append(message)
        queue.ready.sort(key=lambda m: m["id"])

    def take(self, name, body, reply, leased):
        try:
            options = json.loads(body or b"{}")
        except ValueError:
            return self.error(reply, "invalid_json")
        wait = options.get("wait_ms", 0) / 1000
        self.queues.setdefault(name, Queue()).takers.append(
            {"reply": reply, "n": options.get("n", 1), "got": 0, "waits": wait > 0,
             "until": time.time() + wait, "lease": options.get("lease_ms", 30000) / 1000 if leased else 0})
        self.serve(name)

    def answer(self, words, body, reply):
        name, key = ".".join(words[:-2]), (int(words[-2]), words[-1])
        queue = self.queues.get(name)
        if queue is None or key not in queue.leased:
            return self.error(reply, "lease_ended")
        message, _ = queue.leased.pop(key)
        if body.startswith(b"-NAK"):
            self.put_back(queue, message)
        elif body.startswith(b"+WPI"):
            queue.leased[key] = (message, time.time() + 30)
        else:
            queue.gets += 1
        self.json(reply, {"ok": True})
        self.serve(name)

    def request(self, subject, reply, headers, body):
        words = subject.split(".")
        verb, name = words[1], ".".join(words[2:])
        if verb == "PUT":
            self.last_id += 1
            queue = self.queues.setdefault(name, Queue())
            queue.puts += 1
            kept = b"".join(line + b"\r\n" for line in headers.split(b"\r\n")[1:]
                            if line and not line.lower().startswith(b"tram-"))
            queue.ready.append({"id": self.last_id, "body": body, "headers": kept, "attempt": 0,
                                "at": time.time()})
            self.json(reply, {"id": self.last_id, "queue": name, "durability": "memory",
                              "duplicate": False})
            self.serve(name)
        elif verb == "GET":
            self.take(name, body, reply, False)
        elif verb == "TAKE":
            self.take(name, body, reply, True)
        elif verb == "ACK":
            self.answer(words[2:], body, reply)
        elif words[2:4] == ["QUEUE", "LIST"]:
            self.json(reply, {"queues": [self.info(n) for n in self.queues]})
        elif words[2:3] == ["INFO"]:
            self.json(reply, {"name": "fake", "version": "0", "uptime_ms": 1})
        elif words[2:3] == ["QUEUE"] and words[3] in ("INFO", "DELETE", "PURGE"):
            name = ".".join(words[4:])
            if name not in self.queues:
                return self.error(reply, "queue_not_found")
            if words[3] == "INFO":
                return self.json(reply, self.info(name))
            queue = self.queues[name]
            count = len(queue.ready) + (len(queue.leased) if words[3] == "DELETE" else 0)
            queue.ready.clear()
            if words[3] == "DELETE":
                del self.queues[name]
            self.json(reply, {"ok": True, "count": count})
        else:
            self.error(reply, "unknown_request")

    def run(self):
        while True:
            self.wire.socket.settimeout(0.02)
            line = self.wire.line()
            for name in list(self.queues):
                self.serve(name)
            if line is None:
                continue
            words = line.split()
            if words[0] == "PING":
                self.wire.send(b"PONG\r\n")
            elif words[0] == "PONG":
                print("ready", file=sys.stderr, flush=True)
            elif words[0] in ("MSG", "HMSG"):
                has_headers = words[0] == "HMSG"
                sizes = 2 if has_headers else 1
                reply = words[3] if len(words) == 4 + sizes else ""
                total = int(words[-1])
                split = int(words[-2]) if has_headers else 0
                data = self.wire.exactly(total + 2)[:-2]
                self.request(words[1], reply, data[:split], data[split:])


if __name__ == "__main__":
    Fake(sys.argv[1]).run()
