#!/usr/bin/env python3
"""GopherMQ's API, answer for answer: the same transcript passes on GopherMQ itself.

  GOPHERMQ_URL=127.0.0.1:8082 tests/conformance/http/gophermq_transcript.py

Each line is what was sent and the whole of what was answered, ids aside. GopherMQ must run with
its default of 10 pending messages.
"""

import os
import re
import sys
import time

from wire import Wire, request

JSON = "application/json"
ANSWER_TYPE = "application/json; charset=UTF-8"
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
OK = b'{"status":"ok"}\n'


def message(text):
    return b'{"message":"' + text.encode() + b'"}\n'


INVALID_SUBJECT = (400, message("invalid subject"))
INVALID_BODY = (400, message("request's body is invalid"))
NO_SUBSCRIBER = (404, message("subscriber not found"))
BAD_ID = (404, message("bad id"))
OVERFLOW = (429, message("broker overflow"))
SERVER_ERROR = (500, message("server error"))


def subscribed(subject):
    return (200, b'{"id":"ID","subject":' + subject + b"}\n")


# What is sent to an endpoint, as JSON unless it says otherwise, and what must come back.
TABLE = [
    ("nobody subscribed", "publish", b'{"subject":"t.nobody","data":"x"}', NO_SUBSCRIBER),
    ("an empty body binds nothing", "publish", b"", INVALID_SUBJECT),
    ("an empty body binds nothing", "subscribe", b"", INVALID_SUBJECT),
    ("an empty body, fetched with", "fetch", b"", SERVER_ERROR),
    ("blanks are not JSON", "publish", b"   ", INVALID_BODY),
    ("what follows the value is not looked at", "publish",
     b'{"subject":"t.nobody","data":"x"}xyz', NO_SUBSCRIBER),
    ("null is an empty object", "publish", b"null", INVALID_SUBJECT),
    ("a string is no object", "publish", b'"x"', INVALID_BODY),
    ("a list is no object", "publish", b"[]", INVALID_BODY),
    ("true is no object", "publish", b"true", INVALID_BODY),
    ("a number for a string", "publish", b'{"subject":1,"data":"x"}', INVALID_BODY),
    ("a number for the data", "publish", b'{"subject":"a","data":1}', INVALID_BODY),
    ("an object for the data", "publish", b'{"subject":"a","data":{}}', INVALID_BODY),
    ("null for a string", "publish", b'{"subject":null,"data":"x"}', INVALID_SUBJECT),
    ("no data is empty data", "publish", b'{"subject":"t.nobody"}', NO_SUBSCRIBER),
    ("names in any case", "subscribe", b'{"SUBJECT":"a.b"}', subscribed(b'"a.b"')),
    ("names folded as Unicode does", "subscribe", b'{"\xc5\xbfubject":"a.b"}',
     subscribed(b'"a.b"')),
    ("escapes in names", "subscribe", b'{"\\u0073ubject":"a.b"}', subscribed(b'"a.b"')),
    ("the last of two counts", "subscribe", b'{"subject":"a b","subject":"a.b"}',
     subscribed(b'"a.b"')),
    ("but null leaves what was there", "subscribe", b'{"subject":"a.b","subject":null}',
     subscribed(b'"a.b"')),
    ("the last of two in different case", "subscribe", b'{"subject":"a.b","SUBJECT":"c"}',
     subscribed(b'"c"')),
    ("unknown members are ignored", "subscribe",
     b'{"subject":"a.b","x":[1,{"y":null}],"z":1e5,"id":7}', subscribed(b'"a.b"')),
    ("but must be JSON", "subscribe", b'{"subject":"a.b","x":[1,}', INVALID_BODY),
    ("a number too large to hold", "subscribe", b'{"subject":"a","z":1e999}', subscribed(b'"a"')),
    ("a leading zero", "subscribe", b'{"subject":"a","z":01}', INVALID_BODY),
    ("a word cut short", "subscribe", b'{"subject":"a","z":tru}', INVALID_BODY),
    ("blanks everywhere", "subscribe", b' \t\r\n{ "subject" : "a" , "z" : true }',
     subscribed(b'"a"')),
    ("nested as deep as Go goes", "subscribe",
     b'{"subject":"a","z":' + b"[" * 9999 + b"]" * 9999 + b"}", subscribed(b'"a"')),
    ("nested one deeper", "subscribe",
     b'{"subject":"a","z":' + b"[" * 10000 + b"]" * 10000 + b"}", INVALID_BODY),
    ("a byte-order mark", "subscribe", b'\xef\xbb\xbf{"subject":"a"}', INVALID_BODY),
    ("a comma too many", "subscribe", b'{"subject":"a",}', INVALID_BODY),
    ("half an object", "subscribe", b'{"subject":"a"', INVALID_BODY),
    ("escapes as Go writes them", "subscribe",
     b'{"subject":"a<b>&\\u2028\\u2029\\u0001\\b\\f\\u007f\\"\\\\/"}',
     subscribed(b'"a\\u003cb\\u003e\\u0026\\u2028\\u2029\\u0001\\b\\f\x7f\\"\\\\/"')),
    ("bytes that are not UTF-8", "subscribe", b'{"subject":"a\xff\xfe"}',
     subscribed(b'"a\xef\xbf\xbd\xef\xbf\xbd"')),
    ("surrogates, alone and paired", "subscribe", b'{"subject":"a\\ud800b\\ud83d\\ude00\\udc00"}',
     subscribed(b'"a\xef\xbf\xbdb\xf0\x9f\x98\x80\xef\xbf\xbd"')),
    ("a control character in a string", "subscribe", b'{"subject":"a\x01"}', INVALID_BODY),
    ("an escape that is none", "subscribe", b'{"subject":"a\\x"}', INVALID_BODY),
    ("a space in a subject", "subscribe", b'{"subject":"a b"}', INVALID_SUBJECT),
    ("a tab in a subject", "publish", b'{"subject":"a\\tb"}', INVALID_SUBJECT),
    ("an empty token", "subscribe", b'{"subject":"a..b"}', INVALID_SUBJECT),
    ("a dot at the end", "publish", b'{"subject":"a."}', INVALID_SUBJECT),
    ("a dot at the front", "publish", b'{"subject":".a"}', INVALID_SUBJECT),
    ("fetching with a bad subject", "fetch", b'{"subject":"a b","id":"x"}', SERVER_ERROR),
    ("fetching with a bad id", "fetch", b'{"subject":"a","id":"x"}', BAD_ID),
    ("fetching with an id of nobody", "fetch",
     b'{"subject":"a","id":"596ce1b3-1f63-4b49-a657-11a4441c9c40"}', BAD_ID),
    ("async says ok to what it will not place", "publish/async", b'{"subject":"a b"}', (200, OK)),
    ("async says ok to nothing at all", "publish/async", b"", (200, OK)),
    ("async and not JSON", "publish/async", b"{", INVALID_BODY),
]

TYPES = [
    (None, INVALID_BODY),
    ("text/plain", INVALID_BODY),
    ("APPLICATION/JSON", INVALID_BODY),
    ("application/json; charset=utf-8", subscribed(b'"a"')),
    ("application/jsonx", subscribed(b'"a"')),
    ("application/x-www-form-urlencoded", INVALID_SUBJECT),
]

METHODS = [
    ("GET", "/api/publish", 405, message("Method Not Allowed")),
    ("PUT", "/api/fetch", 405, message("Method Not Allowed")),
    ("DELETE", "/api/publish/async", 405, message("Method Not Allowed")),
    ("POST", "/ready", 405, message("Method Not Allowed")),
    ("GET", "/nope", 404, message("Not Found")),
    ("GET", "/api", 404, message("Not Found")),
    ("GET", "/api/nope", 404, message("Not Found")),
    ("POST", "//api/publish", 404, message("Not Found")),
    ("POST", "/api/publish/", 404, message("Not Found")),
    ("POST", "/api/%70ublish", 404, message("Not Found")),
    ("GET", "/ready/", 404, message("Not Found")),
    ("GET", "/ready", 204, b""),
    ("GET", "/ready?x=1", 204, b""),
    ("OPTIONS", "/api/publish", 204, b""),
]


def transcript(address, check, pending_max=10):
    """Calls `check(name, got, wanted)` for each line of the conversation."""
    wire = Wire(address)

    def post(endpoint, body, type=JSON):
        answer = wire.ask("POST", "/api/" + endpoint, body, type=type)
        return answer.status, UUID.sub(b"ID", answer.body), answer

    for name, endpoint, body, wanted in TABLE:
        got = post(endpoint, body)
        check(f"{endpoint}: {name}", got[:2], wanted)
        check(f"{endpoint}: {name}: its type", got[2].field("content-type"), ANSWER_TYPE)
    for type, wanted in TYPES:
        check(f"subscribe, sent as {type}", post("subscribe", b'{"subject":"a"}', type)[:2], wanted)
    check("an empty body of no type", post("subscribe", b"", None)[:2], INVALID_SUBJECT)
    for method, path, status, body in METHODS:
        answer = wire.ask(method, path)
        check(f"{method} {path}", (answer.status, answer.body), (status, body))
        if status == 405:
            check(f"{method} {path}: what is allowed",
                  {"OPTIONS", "POST" if "api" in path else "GET"}
                  <= set(answer.field("allow").split(", ")), True)
    wire.send(request("POST", "/api/publish", None, ["Transfer-Encoding: chunked"], JSON)
              + b"0\r\n\r\n")
    answer = wire.answer()
    check("an empty body in chunks", (answer.status, answer.body), INVALID_BODY)
    wire.send(request("POST", "/api/publish", None, ["Transfer-Encoding: chunked"], JSON)
              + b'9\r\n{"subject\r\n14\r\n":"t.nobody","data":\r\n5\r\n"x"}\n\r\n0\r\n\r\n')
    answer = wire.answer()
    check("a body in chunks", (answer.status, answer.body), NO_SUBSCRIBER)

    tell_a_story(post, check, pending_max)
    wire.close()


def tell_a_story(post, check, pending_max):
    """Two mailboxes on one subject; what is published, fetched, and too much."""
    subject = b'"t.story.%d"' % time.time_ns()

    def subscribe():
        return post("subscribe", b'{"subject":' + subject + b"}")[2].json()["id"].encode()

    def publish(data):
        return post("publish", b'{"subject":' + subject + b',"data":' + data + b"}")[:2]

    def fetch(id):
        return post("fetch", b'{"subject":' + subject + b',"id":"' + id + b'"}')[2].body

    def fetched(id, data):
        return b'{"data":[' + data + b'],"id":"' + id + b'","subject":' + subject + b"}\n"

    one = subscribe()
    check("nothing waits at first", fetch(one), fetched(one, b""))
    check("a message", publish(b'"first"'), (200, OK))
    two = subscribe()
    check("another", publish(b'"<second> \\u00e9 \\ud83d\\ude00"'), (200, OK))
    second = '"\\u003csecond\\u003e é 😀"'.encode()
    check("both wait, in order", fetch(one), fetched(one, b'"first",' + second))
    check("and then nothing", fetch(one), fetched(one, b""))
    check("who came later has the later", fetch(two), fetched(two, second))
    check("an id in capitals is another id",
          post("fetch", b'{"subject":' + subject + b',"id":"' + one.upper() + b'"}')[:2],
          BAD_ID)
    check("an id on another subject", post("fetch", b'{"subject":"t.x","id":"' + one + b'"}')[:2],
          BAD_ID)
    # Two mailboxes: each message counts twice, and the limit is looked at before.
    for i in range(pending_max // 2 + 1):
        check(f"message {i} of as many as fit", publish(b'"m"'), (200, OK))
    check("one too many", publish(b'"m"'), OVERFLOW)
    for _ in range(2):
        fetch(one)
        fetch(two)
    check("room again", publish(b'""'), (200, OK))
    check("an empty message is a message", fetch(one), fetched(one, b'""'))
    check("async", post("publish/async", b'{"subject":' + subject + b',"data":"later"}')[:2],
          (200, OK))
    fetch(two)
    for _ in range(500):
        body = fetch(one)
        if b"later" in body:
            break
        time.sleep(0.01)
    check("and it arrives", body, fetched(one, b'"later"'))


def main():
    host, port = os.environ["GOPHERMQ_URL"].removeprefix("http://").rstrip("/").split(":")
    failed = passed = 0

    def check(name, got, wanted):
        nonlocal failed, passed
        if got == wanted:
            passed += 1
        else:
            failed += 1
            print(f"FAILED {name}\n  got    {got!r}\n  wanted {wanted!r}")

    transcript((host, int(port)), check)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
