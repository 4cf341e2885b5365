"""What a user of the official Python client does, told to a running broker.

    python stories.py 127.0.0.1:4222

`restart` asks whoever started us to restart the broker, by a line on standard output; it answers with a line.
"""
import asyncio
import itertools
import os
import sys
import traceback

import nats
from nats.errors import MaxPayloadError, NoRespondersError

SECONDS_MAX = 10
SERVER = f"nats://{sys.argv[1]}"
numbers = itertools.count()


def fresh():
    return f"py.{os.getpid()}.{next(numbers)}"


async def connected(**options):
    return await nats.connect(SERVER, connect_timeout=SECONDS_MAX, **options)


async def take(subscription, count):
    return [await subscription.next_msg(SECONDS_MAX) for _ in range(count)]


async def flush(connection):
    """Returns when the broker has heard all: the client's first PING overtakes what it has not yet written."""
    await connection.flush()
    await connection.flush()


async def close(*connections):
    for one in connections:
        await one.close()


async def publish_and_subscribe():
    """publish and subscribe, in order"""
    a, b = await connected(), await connected()
    subject = fresh()
    subscription = await a.subscribe(subject)
    await flush(a)
    for i in range(1000):
        await b.publish(subject, b"message %d" % i)
    await flush(b)
    got = await take(subscription, 1000)
    assert [m.data for m in got] == [b"message %d" % i for i in range(1000)]
    assert got[0].subject == subject
    await close(a, b)


async def wildcards():
    """wildcards"""
    a = await connected()
    root = fresh()
    star, rest = await a.subscribe(f"{root}.*.paid"), await a.subscribe(f"{root}.>")
    for end in ("eu.paid", "us.paid", "eu.sent", "eu.paid.late"):
        await a.publish(f"{root}.{end}")
    await flush(a)
    assert [m.subject for m in await take(star, 2)] == [f"{root}.eu.paid", f"{root}.us.paid"]
    assert len(await take(rest, 4)) == 4
    assert star.pending_msgs == 0
    await close(a)


async def groups():
    """queue groups: each message to one member, in turns"""
    members = [await connected() for _ in range(3)]
    subject = fresh()
    turns = [await member.subscribe(subject, queue="workers") for member in members]
    for member in members:
        await flush(member)
    publisher = await connected()
    for _ in range(300):
        await publisher.publish(subject)
    await flush(publisher)
    for one in turns:
        await take(one, 100)
    for member in members:
        await flush(member)
    assert [one.pending_msgs for one in turns] == [0, 0, 0]
    await close(*members, publisher)


async def requests():
    """request and reply, many at once"""
    a, b = await connected(), await connected()
    subject = fresh()

    async def answer(message):
        await message.respond(b"re: " + message.data)

    await a.subscribe(subject, cb=answer)
    await flush(a)
    replies = await asyncio.gather(*(b.request(subject, b"%d" % i, timeout=SECONDS_MAX) for i in range(200)))
    assert [reply.data for reply in replies] == [b"re: %d" % i for i in range(200)]
    alone = await b.request(subject, b"x", timeout=SECONDS_MAX, old_style=True)
    assert alone.data == b"re: x"
    await close(a, b)


async def no_responders():
    """no responders are told at once"""
    a = await connected()
    try:
        await a.request(fresh(), timeout=SECONDS_MAX)
        raise AssertionError("it was not refused")
    except NoRespondersError:
        pass
    await close(a)


async def headers():
    """headers"""
    a, b = await connected(), await connected()
    subject = fresh()
    subscription = await a.subscribe(subject)
    await flush(a)
    await b.publish(subject, b"body", reply="somewhere", headers={"Trace-Id": "abc", "trace-id": "lower"})
    await flush(b)
    [got] = await take(subscription, 1)
    assert (got.data, got.reply) == (b"body", "somewhere")
    assert got.headers == {"Trace-Id": "abc", "trace-id": "lower"}
    await close(a, b)


async def payloads():
    """payloads from nothing to 1 MiB come byte for byte, and no longer ones"""
    a, b = await connected(), await connected()
    assert b.max_payload == 1 << 20
    subject = fresh()
    subscription = await a.subscribe(subject)
    await flush(a)
    pattern = bytes(i * 31 + (i >> 8) & 255 for i in range(65521)) * 17
    for size in (0, 1, 127, 128, 4095, 4096, 65535, 65536, 262144, (1 << 20) - 1, 1 << 20):
        await b.publish(subject, pattern[:size])
        [got] = await take(subscription, 1)
        assert got.data == pattern[:size], size
    try:
        await b.publish(subject, bytes((1 << 20) + 1))
        raise AssertionError("it was not refused")
    except MaxPayloadError:
        pass
    await close(a, b)


async def unsubscribe():
    """unsubscribe after a number of messages"""
    a = await connected()
    subject = fresh()
    got = []

    async def keep(message):
        got.append(message.data)

    subscription = await a.subscribe(subject, cb=keep)
    await subscription.unsubscribe(3)
    for i in range(10):
        await a.publish(subject, b"%d" % i)
    await flush(a)
    await a.drain()
    assert got == [b"0", b"1", b"2"]


async def without_echo():
    """without echo, a client does not hear itself"""
    a, b = await connected(no_echo=True), await connected()
    subject = fresh()
    subscription = await a.subscribe(subject)
    await flush(a)
    await a.publish(subject, b"mine")
    await flush(a)
    await b.publish(subject, b"theirs")
    await flush(b)
    assert (await take(subscription, 1))[0].data == b"theirs"
    await close(a, b)


async def verbose_and_pedantic():
    """verbose and pedantic"""
    a = await connected(verbose=True, pedantic=True)
    subject = fresh()
    subscription = await a.subscribe(subject)
    await a.publish(subject, b"x")
    assert (await take(subscription, 1))[0].data == b"x"
    await close(a)


async def drain():
    """drain: what was sent is handled, and then it ends"""
    a, b = await connected(), await connected()
    subject = fresh()
    handled = []

    async def handle(message):
        await asyncio.sleep(0)
        handled.append(message)

    await a.subscribe(subject, cb=handle)
    end = await a.subscribe(fresh())
    await flush(a)
    for _ in range(500):
        await b.publish(subject)
    await b.publish(end.subject)
    await take(end, 1)
    await a.drain()
    assert len(handled) == 500
    assert a.is_closed
    await close(b)


async def queues():
    """a queue of Tram's, with nothing but this client"""
    a = await connected()
    queue = fresh()
    await a.request(f"$TRAM.PUT.{queue}", b"work", timeout=SECONDS_MAX)
    got = await a.request(f"$TRAM.TAKE.{queue}", timeout=SECONDS_MAX)
    assert got.data == b"work"
    assert got.headers["Tram-Queue"] == queue
    done = await a.request(got.reply, b"+ACK", timeout=SECONDS_MAX)
    assert done.data == b'{"ok":true,"count":1}'
    await close(a)


async def restart():
    """after a restart of the broker, subscriptions go on"""
    back = [asyncio.Event(), asyncio.Event()]

    async def patient(event):
        async def came_back():
            event.set()

        async def lost(_):
            pass

        return await connected(reconnect_time_wait=0.05, max_reconnect_attempts=-1, reconnected_cb=came_back, error_cb=lost)

    a, b = await patient(back[0]), await patient(back[1])
    subject = fresh()
    subscription = await a.subscribe(subject)
    await flush(a)
    print("restart", flush=True)
    assert await asyncio.to_thread(sys.stdin.readline) == "restarted\n"
    for event in back:
        await event.wait()
    await flush(a)
    await b.publish(subject, b"again")
    await flush(b)
    assert (await take(subscription, 1))[0].data == b"again"
    await close(a, b)


async def main():
    failed = 0
    for story in (publish_and_subscribe, wildcards, groups, requests, no_responders, headers, payloads, unsubscribe,
                  without_echo, verbose_and_pedantic, drain, queues, restart):
        try:
            await asyncio.wait_for(story(), 30)
            print(f"ok {story.__doc__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {story.__doc__}: {traceback.format_exc()}", flush=True)
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
