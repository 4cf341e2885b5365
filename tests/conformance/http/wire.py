"""HTTP at the level of bytes: what a test must be able to say that a library would not let it."""

import base64
import json
import os
import socket
import struct


class Answer:
    def __init__(self, status, reason, fields, body):
        self.status, self.reason, self.fields, self.body = status, reason, fields, body

    def field(self, name):
        found = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Wire:
    """One connection. Reads answers whole, and keeps what comes after them."""

    def __init__(self, address, timeout=10):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("closed")
        self.rest += data

    def read_until(self, mark):
        while mark not in self.rest:
            self._more()
        found, self.rest = self.rest.split(mark, 1)
        return found

    def read_exactly(self, size):
        while len(self.rest) < size:
            self._more()
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def head(self):
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, reason = (lines[0] + " ").split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        return Answer(int(status), reason.strip(), fields, b"")

    def answer(self, to_head=False):
        answer = self.head()
        size = int(answer.field("content-length") or 0)
        if not to_head and answer.status not in (204, 101) and answer.status >= 200:
            answer.body = self.read_exactly(size)
        return answer

    def closed(self):
        """True if the peer closes, without a further byte."""
        try:
            return self.rest == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def ask(self, method, path, body=None, fields=(), type=None):
        self.send(request(method, path, body, fields, type))
        return self.answer(to_head=method == "HEAD")


def request(method, path, body=None, fields=(), type=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: tram"]
    if type is not None:
        lines.append(f"Content-Type: {type}")
    if body is not None:
        body = body.encode() if isinstance(body, str) else body
        lines.append(f"Content-Length: {len(body)}")
    lines.extend(fields)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class WebSocket:
    def __init__(self, address, path):
        self.wire = Wire(address)
        self.answer = self.wire.ask("GET", path, fields=[
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])

    def send(self, text, opcode=1, final=True, masked=True):
        data = text.encode() if isinstance(text, str) else text
        head = bytes([(0x80 if final else 0) | opcode])
        bit = 0x80 if masked else 0
        if len(data) < 126:
            head += bytes([bit | len(data)])
        elif len(data) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(data))
        mask = os.urandom(4) if masked else b""
        if masked:
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.wire.send(head + mask + data)

    def frame(self):
        first, size = self.wire.read_exactly(2)
        assert size < 128, "a server's frames are not masked"
        if size == 126:
            size = struct.unpack(">H", self.wire.read_exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.wire.read_exactly(8))[0]
        return first & 15, self.wire.read_exactly(size)

    def json(self):
        opcode, payload = self.frame()
        assert opcode == 1, (opcode, payload)
        return json.loads(payload)

    def close_code(self):
        opcode, payload = self.frame()
        assert opcode == 8, (opcode, payload)
        return struct.unpack(">H", payload[:2])[0]


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
