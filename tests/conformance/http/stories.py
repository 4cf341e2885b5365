"""What /v1 promises, each promise told as a story: what is asked, what must be answered."""

import base64
import itertools
import json
import select
import signal
import socket
import threading
import time

from wire import WebSocket, Wire, basic, request

_numbers = itertools.count(time.time_ns())


def fresh(name):
    """A name that no story has used: stories share a broker."""
    return f"{name}{next(_numbers)}"


def code(answer):
    """The error's code; whatever else it is, it must be one of ours."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message"} and error["message"], error
    return answer.status, error["code"]


def curl_is_the_first_user(address, check):
    """curl -d hello localhost:8082/v1/queues/jobs, and what its user does next."""
    queue = fresh("jobs")
    with Wire(address) as wire:
        put = wire.ask("POST", f"/v1/queues/{queue}", "hello",
                       ["User-Agent: curl/8", "Accept: */*"], "application/x-www-form-urlencoded")
        check("put", put.status, 200)
        stored = put.json()
        check("put: what it says", {k: v for k, v in stored.items() if k != "id"},
              {"queue": queue, "durability": "memory", "duplicate": False})
        check("put: a line", put.body[-1:], b"\n")
        show = wire.ask("GET", f"/v1/queues/{queue}").json()
        check("show", (show["name"], show["ready"], show["leased"], show["bytes"], show["puts"]),
              (queue, 1, 0, 5, 1))
        listed = wire.ask("GET", "/v1/queues").json()["queues"]
        check("list", [q["ready"] for q in listed if q["name"] == queue], [1])
        check("list is sorted", [q["name"] for q in listed], sorted(q["name"] for q in listed))
        got = wire.ask("POST", f"/v1/queues/{queue}/get")
        check("get", (got.status, got.body), (200, b"hello"))
        check("get: its headers", (got.field("tram-id"), got.field("tram-queue"),
                                   got.field("tram-attempt")), (str(stored["id"]), queue, "1"))
        check("get nothing", wire.ask("POST", f"/v1/queues/{queue}/get").status, 204)
        show = wire.ask("GET", f"/v1/queues/{queue}").json()
        check("it is acknowledged", (show["ready"], show["leased"], show["acks"]), (0, 0, 1))


def bytes_are_bytes(address, check):
    """Whatever bytes go in come out, from none at all to the limit; one more is refused."""
    queue = fresh("bytes")
    with Wire(address, 30) as wire:
        for data in (b"", b"\x00", bytes(range(256)), b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"x" * 4095,
                     b"y" * 4096, b"z" * 70000, bytes(range(256)) * 4096):
            check(f"put {len(data)}", wire.ask("POST", f"/v1/queues/{queue}", data).status, 200)
            got = wire.ask("POST", f"/v1/queues/{queue}/get")
            check(f"get {len(data)}", (got.status, got.body == data), (200, True))
        refused = wire.ask("POST", f"/v1/queues/{queue}", b"x" * (1 << 20) + b"x",
                           ["Expect: 100-continue"])
        check("one more", code(refused), (413, "message_too_large"))
        check("and the connection ends", refused.field("connection"), "close")
    with Wire(address) as wire:
        wire.send(request("POST", f"/v1/queues/{queue}", None, ["Content-Length: 1000000000"]))
        check("1 GB announced", code(wire.answer()), (413, "message_too_large"))
    with Wire(address) as wire:
        wire.send(request("POST", f"/v1/queues/{queue}", None, ["Expect: 100-continue",
                                                                "Content-Length: 5"]))
        check("go on", wire.head().status, 100)
        wire.send(b"hello")
        check("went on", wire.answer().status, 200)


def take_ack_release_extend(address, check):
    """A worker's life: take, and then say how it went."""
    queue = fresh("work")
    path = f"/v1/queues/{queue}"
    with Wire(address) as wire:
        check("nothing", wire.ask("POST", f"{path}/take").json(), {"messages": []})
        wire.ask("POST", path, "one", ["Tram-Header-Trace: 7", "tram-header-Trace: 8"])
        wire.ask("POST", path, b"\xff\x00")
        taken = wire.ask("POST", f"{path}/take?n=5&lease_ms=60000").json()["messages"]
        check("two came", len(taken), 2)
        check("text", (taken[0]["data"], taken[0]["headers"], taken[0]["attempt"]),
              ("one", {"Trace": ["7", "8"]}, 1))
        check("not text", base64.b64decode(taken[1]["data_base64"]), b"\xff\x00")
        one, two = (f"{path}/messages/{m['id']}" for m in taken)
        lease_one, lease_two = (m["lease"] for m in taken)
        check("ack", wire.ask("POST", f"{one}/ack?lease={lease_one}").json(),
              {"ok": True, "count": 1})
        check("ack again", code(wire.ask("POST", f"{one}/ack?lease={lease_one}")),
              (404, "message_not_found"))
        check("extend", wire.ask("POST", f"{two}/extend",
                                 json.dumps({"lease": lease_two, "lease_ms": 90000})).status, 200)
        check("another's lease", code(wire.ask("POST", f"{two}/ack", '{"lease":"1"}')),
              (409, "lease_ended"))
        check("release", wire.ask("POST", f"{two}/release",
                                  json.dumps({"lease": lease_two})).status, 200)
        check("the lease has ended", code(wire.ask("POST", f"{two}/ack?lease={lease_two}")),
              (409, "lease_ended"))
        again = wire.ask("POST", f"{path}/take", '{"n":1}', ["Accept: application/octet-stream"])
        check("taken again, raw", (again.status, again.body, again.field("tram-attempt")),
              (200, b"\xff\x00", "2"))
        lease = again.field("tram-lease")
        check("not tried", wire.ask("POST", f"{two}/release?lease={lease}&attempted=false").status,
              200)
        again = wire.ask("POST", f"{path}/take").json()["messages"][0]
        check("did not count", again["attempt"], 2)
        check("raw and empty", wire.ask("POST", f"{path}/take", None,
                                        ["Accept: application/octet-stream"]).status, 204)
        for bad, wanted in (("take?n=0", "n"), ("take?n=x", "n"), ("take?n=10001", "n"),
                            ("take?lease_ms=0", "lease_ms"), ("take?wait_ms=-1", "wait_ms"),
                            ("take?count=1", "count"), ("get?wait=1", "wait"),
                            ("messages/x/ack?lease=1", "id"), ("messages/1/ack", "lease"),
                            ("messages/1/ack?lease=x", "lease")):
            answer = wire.ask("POST", f"{path}/{bad}")
            check(f"{bad}: refused", code(answer), (400, "invalid_argument"))
            check(f"{bad}: by name", wanted in answer.json()["error"]["message"], True)
        check("a body that is not JSON", code(wire.ask("POST", f"{path}/take", "{")),
              (400, "invalid_json"))


def waiting(address, check):
    """A take that waits is answered by a put, or when its time has passed; not twice, not late."""
    queue = fresh("wait")
    path = f"/v1/queues/{queue}"
    with Wire(address) as worker, Wire(address) as wire:
        worker.send(request("POST", f"{path}/get?wait_ms=30000"))
        until(lambda: show(wire, queue).get("waiting_takers") == 1)
        begun = time.monotonic()
        wire.ask("POST", path, "now")
        check("woken", worker.answer().body, b"now")
        check("at once", time.monotonic() - begun < 5, True)
        begun = time.monotonic()
        check("in vain", worker.ask("POST", f"{path}/get?wait_ms=150").status, 204)
        check("not before its time", time.monotonic() - begun >= 0.149, True)
        # More than one: the first wakes it, and it lingers for the rest.
        worker.send(request("POST", f"{path}/take?n=2&wait_ms=30000&linger_ms=30000"))
        until(lambda: show(wire, queue).get("waiting_takers") == 1)
        wire.ask("POST", path, "a")
        wire.ask("POST", path, "b")
        check("both", [m["data"] for m in worker.answer().json()["messages"]], ["a", "b"])


def whoever_goes_is_forgotten(address, check):
    """A waiting worker whose connection ends takes nothing with it."""
    queue = fresh("gone")
    path = f"/v1/queues/{queue}"
    with Wire(address) as wire:
        for verb in ("get?wait_ms=60000", "take?n=3&wait_ms=60000&linger_ms=60000"):
            gone = Wire(address)
            gone.send(request("POST", f"{path}/{verb}"))
            until(lambda: show(wire, queue).get("waiting_takers") == 1)
            gone.close()
            until(lambda: show(wire, queue).get("waiting_takers") == 0)
            wire.ask("POST", path, "kept")
            check(f"{verb}: not lost", wire.ask("POST", f"{path}/get").body, b"kept")
        # It has one of three already, and lingers for the others: that one comes back at once.
        gone = Wire(address)
        gone.send(request("POST", f"{path}/take?n=3&wait_ms=60000&linger_ms=60000"))
        until(lambda: show(wire, queue).get("waiting_takers") == 1)
        wire.ask("POST", path, "held")
        until(lambda: show(wire, queue)["leased"] == 1)
        gone.close()
        got = wire.ask("POST", f"{path}/get?wait_ms=10000")
        check("what it held", (got.body, got.field("tram-attempt")), (b"held", "1"))


def many_at_once(address, check):
    """JSON lines: many messages in one request, all of them or none."""
    queue = fresh("lines")
    path = f"/v1/queues/{queue}"
    lines = "application/x-ndjson"
    with Wire(address) as wire:
        body = '{"data":"a"}\n\n{"data_base64":"gIE=","headers":{"K":"v"}}\r\n{}'
        put = wire.ask("POST", path, body, type=lines)
        stored = [json.loads(line) for line in put.body.splitlines()]
        check("three", (put.status, put.field("content-type"), len(stored)), (200, lines, 3))
        check("in order", [s["id"] for s in stored], sorted(s["id"] for s in stored))
        got = wire.ask("POST", f"{path}/take?n=10").json()["messages"]
        check("as they went in", [(m.get("data"), m.get("data_base64"), m.get("headers"))
                                  for m in got],
              [("a", None, None), (None, "gIE=", {"K": "v"}), ("", None, None)])
        bad = wire.ask("POST", path, '{"data":"a"}\n{"dta":"b"}', type=lines)
        check("a mistake", code(bad), (400, "invalid_argument"))
        check("which line", "line 2" in bad.json()["error"]["message"], True)
        check("none of them", wire.ask("POST", f"{path}/get").status, 204)
        check("no line at all", wire.ask("POST", path, "", type=lines).body, b"")
        many = "\n".join(f'{{"data":"{i}"}}' for i in range(10000))
        check("ten thousand", len(wire.ask("POST", path, many, type=lines).body.splitlines()),
              10000)
        check("one more", code(wire.ask("POST", path, many + "\n{}", type=lines)),
              (400, "invalid_argument"))
        check("purge", wire.ask("POST", f"{path}/purge").json(), {"ok": True, "count": 10000})
        check("delete", wire.ask("DELETE", path).json()["ok"], True)
        check("gone", code(wire.ask("GET", path)), (404, "queue_not_found"))
        check("delete again", code(wire.ask("DELETE", path)), (404, "queue_not_found"))
        check("purge", code(wire.ask("POST", f"{path}/purge")), (404, "queue_not_found"))


def names_of_queues(address, check):
    """A queue's name is what its segment decodes to; what is no name is refused."""
    with Wire(address) as wire:
        for encoded, name in (("a%2Fb", "a/b"), ("%C3%A9", "é"), ("a.b.c", "a.b.c"),
                              ("a%2Fmessages%2F1%2Fack", "a/messages/1/ack"), ("%2e%2e", ".."),
                              ("a+b", "a+b"), ("take", "take"), ("x" * 200, "x" * 200)):
            put = wire.ask("POST", f"/v1/queues/{encoded}", "m")
            check(f"queue {name[:20]}", (put.status, put.json().get("queue")), (200, name))
            wire.ask("DELETE", f"/v1/queues/{encoded}")
        for encoded in ("a%20b", "a%00", "%0A", "x" * 201, "*", "%3E", "a%0d%0aX:y"):
            check(f"queue {encoded[:20]}", code(wire.ask("POST", f"/v1/queues/{encoded}", "m")),
                  (400, "invalid_queue_name"))
        for encoded in ("a%", "a%2", "a%zz"):
            check(f"queue {encoded}", code(wire.ask("POST", f"/v1/queues/{encoded}", "m")),
                  (400, "invalid_argument"))
        for path in ("/v1/queues/", "/v1/queues//get", "/v1/queues/a/b", "/v1/queues/a/get/",
                     "/v1", "/v1/", "/v1/nope"):
            check(f"POST {path}", code(wire.ask("POST", path, "m")), (404, "unknown_request"))


def publish_and_events(address, check):
    """Server-Sent Events: whoever has seen the head misses nothing."""
    root = fresh("orders")
    with Wire(address) as wire:
        nobody = wire.ask("POST", f"/v1/publish/{root}.x", "m")
        check("nobody", (nobody.status, nobody.json()), (200, {"ok": True, "count": 0}))
        with Wire(address) as events, Wire(address) as member, Wire(address) as other:
            events.send(request("GET", f"/v1/subscribe?subject={root}.>"))
            head = events.head()
            check("events", (head.status, head.field("content-type"), head.field("connection")),
                  (200, "text/event-stream", "close"))
            for one in (member, other):
                one.send(request("GET", f"/v1/subscribe?subject={root}.*&group=g"))
                one.head()
            reach = wire.ask("POST", f"/v1/publish/{root}.eu?reply_to=back.to.me", "hello",
                             ["Tram-Header-Trace: 7"])
            check("reach: one, and one of the group", reach.json()["count"], 2)
            wire.ask("POST", f"/v1/publish/{root}.us", b"\xff\n")
            wire.ask("POST", "/v1/publish", json.dumps({
                "subject": f"{root}.a.b", "data": "line\nline", "headers": {"K": ["1", "2"]}}),
                type="application/json")
            wire.ask("POST", "/v1/publish", "\n".join(
                json.dumps({"subject": f"{root}.a.{i}", "data": str(i)}) for i in range(3)),
                type="application/x-ndjson")
            wanted = [
                {"subject": f"{root}.eu", "data": "hello", "headers": {"Trace": "7"},
                 "reply_to": "back.to.me"},
                {"subject": f"{root}.us", "data_base64": "/wo="},
                {"subject": f"{root}.a.b", "data": "line\nline", "headers": {"K": ["1", "2"]}},
            ] + [{"subject": f"{root}.a.{i}", "data": str(i)} for i in range(3)]
            for number, event in enumerate(wanted, 1):
                lines = events.read_until(b"\n\n").split(b"\n")
                check(f"event {number}", lines[0], b"id: %d" % number)
                check(f"event {number}: one line of data", len(lines), 2)
                check(f"event {number}: what", json.loads(lines[1].removeprefix(b"data: ")), event)
            both = 0
            while both < 2:
                ready, _, _ = select.select([m.socket for m in (member, other)], [], [], 10)
                for one in (m for m in (member, other) if m.socket in ready):
                    one.read_until(b"\n\n")
                    both += 1
            check("the group shares", both, 2)
        until(lambda: wire.ask("POST", f"/v1/publish/{root}.eu", "m").json()["count"] == 0)
        for query, wanted in (("", "invalid_argument"), ("?subject=a..b", "invalid_subject"),
                              ("?subject=a&policy=maybe", "invalid_argument"),
                              ("?subject=a&group=a%20b", "invalid_argument"),
                              ("?subject=a&nope=1", "invalid_argument")):
            check(f"subscribe{query}", code(wire.ask("GET", f"/v1/subscribe{query}")),
                  (400, wanted))
        for subject, wanted in (("a..b", "invalid_subject"), ("a%20b", "invalid_subject"),
                                ("a.*", "wildcard_in_publish"), ("a.%3E", "wildcard_in_publish"),
                                ("a%00", "invalid_subject")):
            check(f"publish {subject}", code(wire.ask("POST", f"/v1/publish/{subject}", "m")),
                  (400, wanted))
        check("publish, sent as text",
              code(wire.ask("POST", "/v1/publish", '{"subject":"a"}', type="text/plain")),
              (415, "unsupported_media"))
        check("publish without a subject", code(wire.ask("POST", "/v1/publish", '{"data":"x"}')),
              (400, "invalid_argument"))
        check("publish, a header that breaks out",
              code(wire.ask("POST", "/v1/publish",
                            json.dumps({"subject": "a", "headers": {"A": "1\r\nB: 2"}}))),
              (400, "invalid_header"))


def request_and_reply(address, check):
    """A request is answered by whoever listens; at once with an error if nobody does."""
    subject = fresh("time.")
    with Wire(address) as wire:
        check("nobody", code(wire.ask("POST", f"/v1/request/{subject}", "?")),
              (503, "no_responders"))
        server = WebSocket(address, f"/v1/subscribe?subject={subject}")
        wire.send(request("POST", f"/v1/request/{subject}", "what?", ["Tram-Header-Q: 1"]))
        asked = server.json()["message"]
        check("asked", (asked["data"], asked["headers"]), ("what?", {"Q": "1"}))
        server.send(json.dumps({"publish": {"subject": asked["reply_to"], "data": "noon",
                                            "headers": {"A": "2"}}}))
        answer = wire.answer()
        check("answered", (answer.status, answer.body, answer.field("tram-header-a")),
              (200, b"noon", "2"))
        server.send(json.dumps({"id": 1, "publish": {"subject": asked["reply_to"], "data": "again"}}))
        check("a second answer is nobody's", server.json()["ok"], True)
        check("too late", code(wire.ask("POST", f"/v1/request/{subject}?timeout_ms=50", "?")),
              (504, "timed_out"))
        check("how long", code(wire.ask("POST", f"/v1/request/{subject}?timeout_ms=0", "?")),
              (400, "invalid_argument"))
        server.wire.close()


def websockets(address, check):
    """Subscribe, unsubscribe and publish over one connection."""
    root = fresh("ws")
    socket_ = WebSocket(address, "/v1/subscribe")
    check("accepted", (socket_.answer.status, socket_.answer.field("sec-websocket-accept")),
          (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))

    def say(**what):
        socket_.send(json.dumps(what))

    def ask(**what):
        say(**what)
        return socket_.json()

    done = {"ok": True, "count": 1}
    check("subscribe", ask(id=1, subscribe={"subject": f"{root}.>"}), {"id": 1, **done})
    say(id=2, publish={"subject": f"{root}.a", "data": "é", "headers": {"K": "v"}})
    check("its own message", socket_.json(),
          {"message": {"subject": f"{root}.a", "data": "é", "headers": {"K": "v"}}})
    check("published", socket_.json(), {"id": 2, **done})
    say(publish={"subject": f"{root}.b", "data_base64": "AAE="})
    check("no id, no answer", socket_.json(),
          {"message": {"subject": f"{root}.b", "data": "\x00\x01"}})
    check("unsubscribe", ask(id=3, unsubscribe={"subject": f"{root}.>"}), {"id": 3, **done})
    check("unsubscribe again", ask(id=4, unsubscribe={"subject": f"{root}.>"}),
          {"id": 4, "ok": True, "count": 0})
    check("nobody", ask(id=5, publish={"subject": f"{root}.a"})["count"], 0)
    for what, wanted in (({"publish": {"subject": "a..b"}}, "invalid_subject"),
                         ({"publish": {"subject": "a.*"}}, "wildcard_in_publish"),
                         ({"subscribe": {"subject": ""}}, "invalid_subject"),
                         ({"subscribe": {}}, "invalid_argument"),
                         ({"id": -1, "subscribe": {"subject": "a"}}, "invalid_argument"),
                         ({"publish": {"subject": "a"}, "subscribe": {"subject": "a"}},
                          "invalid_argument"),
                         ({"publish": {"subject": "a", "dat": ""}}, "invalid_argument"),
                         ({"nope": 1}, "invalid_argument"), ({}, "invalid_argument")):
        check(f"{what}", ask(**what)["error"]["code"], wanted)
    socket_.send("{")
    check("not JSON", socket_.json()["error"]["code"], "invalid_json")
    socket_.send('{"id":6,"unsub', final=False)
    socket_.send(b"ping!", opcode=9)
    check("a ping between", socket_.frame(), (10, b"ping!"))
    socket_.send('scribe":{"subject"', opcode=0, final=False)
    socket_.send(':"x"}}', opcode=0)
    check("in pieces", socket_.json()["id"], 6)
    big = "x" * (1 << 20)
    check("1 MiB", ask(id=7, publish={"subject": f"{root}.a", "data": big})["ok"], True)
    check("more", ask(id=8, publish={"subject": f"{root}.a", "data": big + "x"})["error"]["code"],
          "message_too_large")
    socket_.send(b"\x03\xe8bye", opcode=8)
    check("goodbye", (socket_.close_code(), socket_.wire.closed()), (1000, True))

    def broken(name, wanted, raw=None, **frame):
        one = WebSocket(address, f"/v1/subscribe?subject={root}")
        if raw is not None:
            one.wire.send(raw)
        else:
            one.send(**frame)
        check(f"{name}: closed", (one.close_code(), one.wire.closed()), (wanted, True))

    broken("unmasked", 1002, text="{}", masked=False)
    broken("binary", 1003, text="{}", opcode=2)
    broken("not UTF-8", 1007, text=b"\xff")
    broken("a piece of nothing", 1002, text="{}", opcode=0)
    broken("a long ping", 1002, text="x" * 126, opcode=9)
    broken("half a ping", 1002, text="x", opcode=9, final=False)
    broken("an unknown frame", 1002, text="x", opcode=3)
    broken("reserved bits", 1002, raw=b"\xc1\x80\0\0\0\0")
    broken("half a close code", 1002, text="x", opcode=8)
    broken("a code that may not be sent", 1002, text=b"\x03\xed", opcode=8)
    broken("4 GiB announced", 1009, raw=b"\x81\xff\0\0\0\1\0\0\0\0\0\0\0\0")

    with Wire(address) as wire:
        up = ["Connection: upgrade", "Upgrade: websocket"]
        answer = wire.ask("GET", "/v1/subscribe", fields=up + ["Sec-WebSocket-Version: 8"])
        check("an old version", (answer.status, answer.field("sec-websocket-version")), (426, "13"))
        answer = wire.ask("GET", "/v1/subscribe", fields=up + ["Sec-WebSocket-Version: 13",
                                                               "Sec-WebSocket-Key: short"])
        check("a bad key", code(answer), (400, "invalid_argument"))
        answer = wire.ask("GET", "/v1/subscribe", fields=up + [
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Origin: https://evil.example"])
        check("another site's page", answer.status, 403)


def mailboxes(address, check):
    """Private queues fed by a pattern."""
    root = fresh("box")
    with Wire(address) as wire:
        opened = wire.ask("POST", "/v1/mailboxes", json.dumps({"subject": f"{root}.*"}))
        check("open", (opened.status, opened.json()["subject"]), (201, f"{root}.*"))
        box = f"/v1/mailboxes/{opened.json()['id']}"
        reach = wire.ask("POST", f"/v1/publish/{root}.a", b"\x80", ["Tram-Header-K: v"])
        check("reach", reach.json()["count"], 1)
        fetch = f"{box}/fetch?subject={root}.*"
        check("fetch", wire.ask("POST", fetch).json(),
              {"messages": [{"data_base64": "gA==", "headers": {"K": "v"}}]})
        check("empty", wire.ask("POST", fetch).json(), {"messages": []})
        check("without its subject", code(wire.ask("POST", f"{box}/fetch")),
              (400, "invalid_argument"))
        check("with another", code(wire.ask("POST", f"{box}/fetch?subject=x")),
              (404, "mailbox_not_found"))
        check("close", wire.ask("DELETE", box).status, 204)
        check("gone", code(wire.ask("POST", fetch)), (404, "mailbox_not_found"))
        check("no id", code(wire.ask("DELETE", "/v1/mailboxes/x")), (404, "mailbox_not_found"))
        check("a bad subject", code(wire.ask("POST", "/v1/mailboxes", '{"subject":"a b"}')),
              (400, "invalid_subject"))
        check("a bad body", code(wire.ask("POST", "/v1/mailboxes", '{"subjct":"a"}')),
              (400, "invalid_argument"))
        # GopherMQ's way, and early.
        gopher = wire.ask("POST", "/api/subscribe", f'{{"subject":"{root}.>"}}',
                          type="application/json").json()
        check("wildcards", wire.ask("POST", "/api/publish",
                                    f'{{"subject":"{root}.a.b","data":"x"}}',
                                    type="application/json").status, 200)
        answer = wire.ask("DELETE", "/api/subscribe", json.dumps(gopher), type="application/json")
        check("ended early", (answer.status, answer.body), (200, b'{"status":"ok"}\n'))
        check("and gone", wire.ask("POST", "/api/fetch", json.dumps(gopher),
                                   type="application/json").status, 404)


def what_operators_ask(address, check):
    """Health, metrics, the description, and what stands at the door."""
    with Wire(address) as wire:
        for path in ("/healthz", "/readyz"):
            answer = wire.ask("GET", path)
            check(path, (answer.status, answer.body), (200, b"ok\n"))
        check("/ready", wire.ask("GET", "/ready").status, 204)
        check("HEAD", (wire.ask("HEAD", "/healthz").status, wire.ask("HEAD", "/healthz").body),
              (200, b""))
        check("/", b"Tram" in wire.ask("GET", "/").body, True)
        metrics = wire.ask("GET", "/metrics")
        check("/metrics", (metrics.status, metrics.field("content-type")),
              (200, "text/plain; version=0.0.4; charset=utf-8"))
        described = wire.ask("GET", "/v1/openapi.json").json()
        check("openapi", described["openapi"][:4], "3.1.")
        # What is described is there: anything but "no such request".
        for path, methods in described["paths"].items():
            for method in methods:
                if method == "parameters":
                    continue
                concrete = path.replace("{", "%20").replace("}", "")
                with Wire(address) as one:
                    status = one.ask(method.upper(), concrete).status
                check(f"described: {method} {path}", status == 405, False)
        for method, path, allowed in (("PUT", "/v1/queues", {"OPTIONS", "GET", "HEAD"}),
                                      ("PUT", "/v1/queues/a", {"OPTIONS", "GET", "HEAD", "POST",
                                                               "DELETE"}),
                                      ("GET", "/v1/queues/a/get", {"OPTIONS", "POST"}),
                                      ("BREW", "/v1/publish", {"OPTIONS", "POST"})):
            answer = wire.ask(method, path)
            check(f"{method} {path}", code(answer), (405, "method_not_allowed"))
            check(f"{method} {path}: allowed", set(answer.field("allow").split(", ")), allowed)
        check("OPTIONS", wire.ask("OPTIONS", "/v1/queues/a").status, 204)
        check("OPTIONS *", wire.ask("OPTIONS", "*").status, 204)
        check("a body where none is due", code(wire.ask("POST", "/v1/queues/a/get", "x")),
              (400, "invalid_argument"))
        check("another site's page", wire.ask("POST", "/v1/queues/a", "x",
                                              ["Origin: https://evil.example"]).status, 403)
        check("our own page", wire.ask("POST", "/v1/publish/a", "x",
                                       ["Origin: http://tram"]).status, 200)


def many_on_one_connection(address, check):
    """Keep-alive and pipelining: answers come in the order of the requests."""
    queue = fresh("pipe")
    with Wire(address) as wire:
        wire.send(b"".join(request("POST", f"/v1/queues/{queue}", str(i)) for i in range(300)))
        ids = [wire.answer().json()["id"] for _ in range(300)]
        check("in order", ids, sorted(ids))
        wire.send(b"".join(request("POST", f"/v1/queues/{queue}/get") for _ in range(301)))
        got = [wire.answer() for _ in range(301)]
        check("all of them", [g.body for g in got], [str(i).encode() for i in range(300)] + [b""])
        # The second waits for the first, which waits for a message.
        wire.send(request("POST", f"/v1/queues/{queue}/get?wait_ms=200")
                  + request("GET", "/healthz") + b"\r\n" + request("GET", "/ready"))
        check("one after the other", [wire.answer().status for _ in range(3)], [204, 200, 204])
        wire.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                  + request("GET", "/healthz"))
        answer = wire.answer()
        check("close", (answer.field("connection"), wire.closed()), ("close", True))
    with Wire(address) as wire:
        wire.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        check("HTTP/1.0", (wire.answer().field("connection"), wire.closed()), ("close", True))
    with Wire(address) as wire:
        for _ in range(2):
            wire.send(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            check("HTTP/1.0, kept", wire.answer().field("connection"), "keep-alive")
    with Wire(address) as wire:
        for byte in request("POST", f"/v1/queues/{queue}", "slow"):
            wire.send(bytes([byte]))
        check("byte by byte", wire.answer().status, 200)
        chunked = request("POST", f"/v1/queues/{queue}", None, ["Transfer-Encoding: chunked"])
        wire.send(chunked)
        for piece in (b"5\r", b"\nhel", b"lo\r\n", b"6;x=y\r\n world", b"\r\n0\r\nTrailer: 1\r\n",
                      b"\r\n" + request("GET", "/ready")):
            wire.send(piece)
        check("in chunks", wire.answer().status, 200)
        check("and what follows", wire.answer().status, 204)
        wire.ask("POST", f"/v1/queues/{queue}/get")
        check("put together", wire.ask("POST", f"/v1/queues/{queue}/get").body, b"hello world")
    with Wire(address) as wire:
        wire.send(request("POST", f"/v1/queues/{queue}", "half closed"))
        wire.socket.shutdown(socket.SHUT_WR)
        check("nothing more to say", (wire.answer().status, wire.closed()), (200, True))
    with Wire(address) as wire:
        wire.send(b"GET http://elsewhere/healthz?x HTTP/1.1\r\nHost: x\r\n\r\n")
        check("a target in full", wire.answer().status, 200)


def what_cannot_be_read(address, check):
    """Requests on whose end two readers could disagree are refused, and the connection ends."""
    post = b"POST /v1/queues/smuggle HTTP/1.1\r\nHost: x\r\n"
    for name, data, status in (
            ("no request", b"hello\r\n\r\n", 400),
            ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
            ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("bare line feeds", b"GET / HTTP/1.1\nHost: x\n\n", 400),
            ("one bare line feed", b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
            ("a bare return", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", 400),
            ("a zero byte", b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 400),
            ("a space in a name", b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400),
            ("a folded line", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
            ("no name", b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
            ("two lengths", post + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
            ("a list of lengths", post + b"Content-Length: 1, 1\r\n\r\nx", 400),
            ("a negative length", post + b"Content-Length: -1\r\n\r\n", 400),
            ("a signed length", post + b"Content-Length: +1\r\n\r\nx", 400),
            ("a length too large to hold", post + b"Content-Length: 99999999999999999999\r\n\r\n",
             400),
            ("an empty length", post + b"Content-Length: \r\n\r\n", 400),
            ("length and chunks",
             post + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("two codings", post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
            ("an unknown coding", post + b"Transfer-Encoding: identity\r\n\r\n", 501),
            ("chunks twice", post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
                                    b"\r\n0\r\n\r\n", 400),
            ("chunks in HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("a chunk without a size", post + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
            ("a chunk that is longer", post + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", 400),
            ("a chunk's size in hex 0x", post + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n",
             400),
            ("a chunk too large", post + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
            ("a chunk's size too large to hold",
             post + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("HTTP/9.9", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505),
            ("no version", b"GET /\r\n\r\n", 400),
            ("a space too many", b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("a fragment", b"GET /#x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("CONNECT", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("another expectation", post + b"Expect: tea\r\nContent-Length: 1\r\n\r\nx", 417),
            ("a long line", b"GET /" + b"x" * 20000, 414),
            ("long headers", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20000, 431),
            ("many headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    ):
        with Wire(address) as wire:
            # What follows would be somebody else's request: it must never be answered.
            wire.send(data + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = wire.answer()
            check(f"{name}: refused", answer.status, status)
            check(f"{name}: with a code", "code" in answer.json()["error"], True)
            check(f"{name}: and closed", wire.closed(), True)
    with Wire(address) as wire:
        check("nothing got in", wire.ask("GET", "/v1/queues/smuggle").status, 404)


def nobody_else_notices(address, check):
    """Half a request and gone; one that never reads; many at once: the next is served."""
    for data in (b"", b"G", b"POST /v1/queues/half HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"):
        wire = Wire(address)
        wire.send(data)
        wire.close()
    queue = fresh("deaf")
    with Wire(address) as deaf, Wire(address) as wire:
        wire.ask("POST", f"/v1/queues/{queue}", b"x" * 100000)
        deaf.socket.setblocking(False)
        sent = 0
        ask = request("GET", "/v1/openapi.json") * 50
        with_limit = time.monotonic() + 20
        try:
            while time.monotonic() < with_limit and sent < 64 << 20:
                sent += deaf.socket.send(ask)
        except BlockingIOError:
            pass
        check("one that never reads is not read for ever", sent < 64 << 20, True)
        check("and another is served", wire.ask("GET", "/healthz").status, 200)
    crowd = [Wire(address) for _ in range(200)]
    for one in crowd:
        one.send(request("POST", f"/v1/queues/{queue}", "x"))
    check("a crowd", {one.answer().status for one in crowd}, {200})
    for one in crowd:
        one.close()


def works_in_parallel(address, check):
    """Several workers, one queue: every message once."""
    queue = fresh("parallel")
    path = f"/v1/queues/{queue}"
    got = []

    def work():
        with Wire(address, 30) as wire:
            while True:
                answer = wire.ask("POST", f"{path}/get?wait_ms=500")
                if answer.status == 204:
                    return
                got.append(int(answer.body))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    with Wire(address) as wire:
        for i in range(2000):
            wire.ask("POST", path, str(i))
    for worker in workers:
        worker.join()
    check("each once", sorted(got), list(range(2000)))


def stops_gracefully(address, check, process):
    """SIGTERM: what is in hand is finished, who waits is told, and it is gone."""
    queue = fresh("stop")
    waits = Wire(address)
    waits.send(request("POST", f"/v1/queues/{queue}/get?wait_ms=60000"))
    socket_ = WebSocket(address, "/v1/subscribe?subject=stop")
    events = Wire(address)
    events.send(request("GET", "/v1/subscribe?subject=stop"))
    events.head()
    idle = Wire(address)
    idle.ask("GET", "/healthz")
    with Wire(address) as wire:
        until(lambda: show(wire, queue).get("waiting_takers") == 1)
    process.send_signal(signal.SIGTERM)
    answer = waits.answer()
    check("who waits is told", code(answer), (503, "shutting_down"))
    check("and its connection ends", (answer.field("connection"), waits.closed()), ("close", True))
    check("a WebSocket is told", socket_.close_code(), 1001)
    check("a stream ends", events.closed(), True)
    check("an idle one ends", idle.closed(), True)
    check("it stops", process.wait(10), 0)


def who_may_come_in(address, check):
    """With a user, a password and a token set, each opens the door and nothing else does."""
    ask = ("POST", "/v1/queues/locked", "x")
    with Wire(address) as wire:
        for field, status in ((basic("u", "p:w"), 200), ("Authorization: Bearer secret", 200),
                              ("authorization: bearer secret", 200), (basic("u", "p"), 401),
                              (basic("v", "p:w"), 401), ("Authorization: Bearer Secret", 401),
                              ("Authorization: Basic !", 401), ("X: y", 401)):
            check(f"{field}", wire.ask(*ask, [field]).status, status)
        refused = wire.ask(*ask)
        check("how to come in", "Basic" in refused.field("www-authenticate"), True)
        check("by its code", code(refused), (401, "unauthorized"))
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/ready", 204), ("/", 200),
                             ("/v1/openapi.json", 401), ("/metrics", 401), ("/v1/queues", 401),
                             ("/v1/subscribe?subject=a", 401)):
            check(path, wire.ask("GET", path).status, status)
        check("GopherMQ's too", wire.ask("POST", "/api/publish", "{}").status, 401)


def show(wire, queue):
    return wire.ask("GET", f"/v1/queues/{queue}").json()


def until(true):
    """Waits for what comes without being told of."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


ALL = [curl_is_the_first_user, bytes_are_bytes, take_ack_release_extend, waiting,
       whoever_goes_is_forgotten, many_at_once, names_of_queues, publish_and_events,
       request_and_reply, websockets, mailboxes, what_operators_ask, many_on_one_connection,
       what_cannot_be_read, nobody_else_notices, works_in_parallel]
