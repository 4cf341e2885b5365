"""Tells a conversation that is written down to a server, and hears whether it answers as written.

A transcript is a text file. Its clients have one capital letter each, and connect when first named:

    # a remark
    server: user=ann password=secret   the options of the server (servers.py); one such line at most
    only tram                          what nats-server does not have, or does otherwise; say why in a remark
    in pieces only tram                nats-server is told it in whole pieces alone
    A info {"headers": true}           INFO has these members, with these values
    A> PUB news 5                      A sends the line, and CR LF
    A>> half a li                      A sends just these bytes
    A< +OK                             the next line that A is sent; <n> stands for a word that comes back later,
                                       <*> for anything
    A closed                           nothing more comes, and the server hangs up
    A hangs up
    A says nothing for 200ms           nothing comes meanwhile

\\r \\n \\t \\0 \\\\ \\xNN are what they are in C, `{Q}` is a name that no other telling uses, `{x*5000}` is 5,000 times x.
"""
import json
import re
import socket
import time

SECONDS_MAX = 10  # What has not come by then will not come.
_telling = 0


class Mismatch(Exception):
    pass


class Client:
    def __init__(self, address, byte_by_byte):
        self.socket = socket.create_connection(address, SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""
        self.byte_by_byte = byte_by_byte
        self.info = {}
        first = self.line()
        if first.startswith(b"INFO "):
            self.info = json.loads(first[len(b"INFO "):])
        else:  # It would not even let us in.
            self.heard = first + b"\r\n" + self.heard

    def send(self, data):
        try:
            if self.byte_by_byte and len(data) < 3000:
                for i in range(len(data)):
                    self.socket.sendall(data[i:i + 1])
            else:
                self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It hung up before it had heard all: what it said comes next.

    def more(self):
        try:
            piece = self.socket.recv(1 << 16)
        except TimeoutError:
            raise Mismatch(f"nothing came for {self.socket.gettimeout()} s; before that, {self.heard[:200]!r}") from None
        except ConnectionResetError:
            piece = b""
        self.heard += piece
        return piece

    def line(self):
        while b"\r\n" not in self.heard:
            if not self.more():
                raise Mismatch(f"the server hung up; before that, {self.heard[:200]!r}")
        line, self.heard = self.heard.split(b"\r\n", 1)
        return line

    def expect_closed(self):
        while not self.heard and self.more():
            pass
        if self.heard:
            raise Mismatch(f"the server said {self.heard[:200]!r}")

    def expect_silence(self, seconds):
        self.socket.settimeout(seconds)
        try:
            self.more()
            raise Mismatch(f"the server said {self.heard[:200]!r}, or hung up")
        except Mismatch as mismatch:
            if self.heard or not str(mismatch).startswith("nothing came"):
                raise
        finally:
            self.socket.settimeout(SECONDS_MAX)


def unescape(text):
    one = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
    parts = re.split(r"\\(x[0-9a-fA-F]{2}|.)", text)
    data = parts[0].encode()
    for code, plain in zip(parts[1::2], parts[2::2]):
        data += bytes([int(code[1:], 16)]) if code[0] == "x" and len(code) == 3 else one[code]
        data += plain.encode()
    return data


class Transcript:
    def __init__(self, path):
        self.name = path.stem
        self.server = {}
        self.only_tram = False
        self.pieces_only_tram = False
        self.steps = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("server: "):
                self.server = dict(item.split("=", 1) for item in line.split()[1:])
            elif line.strip() == "only tram":
                self.only_tram = True
            elif line.strip() == "in pieces only tram":
                self.pieces_only_tram = True
            else:
                self.steps.append((number, line))

    def play(self, address, byte_by_byte=False):
        """Raises Mismatch with the line at which the telling went another way."""
        global _telling
        _telling += 1
        words = {"Q": f"q{_telling}"}
        clients = {}
        try:
            for number, line in self.steps:
                try:
                    self.step(line, words, clients, address, byte_by_byte)
                except Mismatch as mismatch:
                    raise Mismatch(f"line {number}, {line}\n    {mismatch}") from None
        finally:
            for client in clients.values():
                client.socket.close()

    def step(self, line, words, clients, address, byte_by_byte):
        line = re.sub(r"\{(.)\*(\d+)\}", lambda m: m[1] * int(m[2]), line)
        line = line.replace("{Q}", words["Q"])
        name, action = line[0], line[1:]
        if name not in clients:
            clients[name] = Client(address, byte_by_byte)
        client = clients[name]
        if m := re.match(r">> ?(.*)", action):
            client.send(unescape(self.recall(m[1], words)))
        elif m := re.match(r"> ?(.*)", action):
            client.send(unescape(self.recall(m[1], words)) + b"\r\n")
        elif m := re.match(r"< ?(.*)", action):
            self.hear(client.line(), m[1], words)
        elif m := re.fullmatch(r" info (.*)", action):
            for key, value in json.loads(m[1]).items():
                if client.info.get(key) != value:
                    raise Mismatch(f"INFO has {key} = {client.info.get(key)!r}")
        elif action == " closed":
            client.expect_closed()
        elif action == " hangs up":
            client.socket.close()
            del clients[name]
        elif m := re.fullmatch(r" says nothing for (\d+)ms", action):
            client.expect_silence(int(m[1]) / 1000)
        elif action != " connects":
            raise ValueError(f"{self.name}: what is {line!r}?")

    def recall(self, text, words):
        return re.sub(r"<(\w+)>", lambda m: words[m[1]], text)

    def hear(self, heard, wanted, words):
        """Compares, and keeps what <words> stand for."""
        pattern, names = b"", []
        for part in re.split(r"(<\w+>|<\*>)", wanted):
            if part == "<*>":
                pattern += b".*"
            elif re.fullmatch(r"<\w+>", part) and part[1:-1] in words:
                pattern += re.escape(words[part[1:-1]].encode())
            elif re.fullmatch(r"<\w+>", part) and part[1:-1] in names:
                pattern += b"(?P=%s)" % part[1:-1].encode()
            elif re.fullmatch(r"<\w+>", part):
                names.append(part[1:-1])
                pattern += b"(?P<%s>[^ .}]+)" % part[1:-1].encode()
            else:
                pattern += re.escape(unescape(part))
        found = re.fullmatch(pattern, heard, re.DOTALL)
        if not found:
            raise Mismatch(f"the server said {heard[:300]!r}")
        words.update({name: found[name].decode() for name in names})
