// What a user of the official NATS clients does, told to a running broker: once with `nats`, once with
// `@nats-io/transport-node`. Both are given as they come.
//
//   node stories.js <client> <server>    client: nats or transport-node; server: 127.0.0.1:4222
//
// `restart` asks whoever started us to restart the broker, by a line on standard output; it answers with a line.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [client, server] = process.argv.slice(2);
const require = createRequire(`${process.cwd()}/`);
const { connect, headers, Empty } = require(client === "nats" ? "nats" : "@nats-io/transport-node");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (words) => new TextEncoder().encode(words);
let names = 0;
const fresh = () => `js.${client.replace(/\W/g, "")}.${process.pid}.${++names}`;

async function connected(options = {}) {
  return await connect({ servers: server, timeout: 10_000, ...options });
}

// The first `count` messages, or fewer if the subscription ends.
async function take(subscription, count) {
  const got = [];
  if (count === 0) return got;
  for await (const message of subscription) {
    got.push(message);
    if (got.length === count) break;
  }
  return got;
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it was not refused");
}

const stories = {
  async "publish and subscribe, in order"() {
    const [a, b] = [await connected(), await connected()];
    const subject = fresh();
    const subscription = a.subscribe(subject);
    await a.flush();
    for (let i = 0; i < 1000; ++i) b.publish(subject, bytes(`message ${i}`));
    const got = await take(subscription, 1000);
    assert.deepEqual(got.map((m) => text(m.data)), Array.from({ length: 1000 }, (_, i) => `message ${i}`));
    assert.equal(got[0].subject, subject);
    await Promise.all([a.close(), b.close()]);
  },

  async "wildcards"() {
    const [a, b] = [await connected(), await connected()];
    const root = fresh();
    const star = a.subscribe(`${root}.*.paid`);
    const rest = a.subscribe(`${root}.>`);
    await a.flush();
    for (const end of ["eu.paid", "us.paid", "eu.sent", "eu.paid.late"]) b.publish(`${root}.${end}`, Empty);
    assert.deepEqual((await take(star, 2)).map((m) => m.subject), [`${root}.eu.paid`, `${root}.us.paid`]);
    assert.equal((await take(rest, 4)).length, 4);
    await Promise.all([a.close(), b.close()]);
  },

  async "queue groups: each message to one member"() {
    const members = await Promise.all([connected(), connected(), connected()]);
    const publisher = await connected();
    const subject = fresh();
    let total = 0;
    const counts = members.map(() => 0);
    let done;
    const all = new Promise((resolve) => (done = resolve));
    members.forEach((member, i) => member.subscribe(subject, {
      queue: "workers",
      callback: () => { ++counts[i]; if (++total === 300) done(); },
    }));
    await Promise.all(members.map((m) => m.flush()));
    for (let i = 0; i < 300; ++i) publisher.publish(subject, Empty);
    await all;
    await publisher.flush();
    await Promise.all(members.map((m) => m.flush()));
    assert.equal(total, 300);
    assert.ok(counts.every((count) => count > 0), `a member got nothing: ${counts}`);
    await Promise.all([...members, publisher].map((m) => m.close()));
  },

  async "request and reply, many at once"() {
    const [a, b] = [await connected(), await connected()];
    const subject = fresh();
    a.subscribe(subject, { callback: (_, m) => m.respond(bytes(`re: ${text(m.data)}`)) });
    await a.flush();
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => b.request(subject, bytes(`${i}`), { timeout: 10_000 })));
    answers.forEach((answer, i) => assert.equal(text(answer.data), `re: ${i}`));
    const alone = await b.request(subject, bytes("x"), { timeout: 10_000, noMux: true });
    assert.equal(text(alone.data), "re: x");
    const many = await b.requestMany(subject, bytes("y"), { strategy: "count", maxMessages: 1, maxWait: 10_000 });
    for await (const answer of many) assert.equal(text(answer.data), "re: y");
    await Promise.all([a.close(), b.close()]);
  },

  async "no responders are told at once"() {
    const a = await connected();
    const error = await refused(a.request(fresh(), Empty, { timeout: 10_000 }));
    assert.match(`${error.name} ${error.code} ${error.message} ${error.cause?.name}`, /503|NoResponders|no responders/i);
    await a.close();
  },

  async "headers, with repeated names and any case"() {
    const [a, b] = [await connected(), await connected()];
    const subject = fresh();
    const subscription = a.subscribe(subject);
    await a.flush();
    const fields = headers();
    fields.append("Trace-Id", "abc");
    fields.append("trace-id", "lower");
    fields.append("Many", "1");
    fields.append("Many", "2");
    fields.append("Words", "grüße, 世界");
    b.publish(subject, bytes("body"), { headers: fields, reply: "somewhere" });
    const [got] = await take(subscription, 1);
    assert.equal(text(got.data), "body");
    assert.equal(got.reply, "somewhere");
    assert.equal(got.headers.get("Trace-Id"), "abc");
    assert.equal(got.headers.get("trace-id"), "lower");
    assert.deepEqual(got.headers.values("Many"), ["1", "2"]);
    assert.equal(got.headers.get("Words"), "grüße, 世界");
    await Promise.all([a.close(), b.close()]);
  },

  async "payloads from nothing to 1 MiB come byte for byte"() {
    const [a, b] = [await connected(), await connected()];
    assert.equal(b.info.max_payload, 1 << 20);
    const subject = fresh();
    const subscription = a.subscribe(subject);
    await a.flush();
    const sizes = [0, 1, 2, 3, 127, 128, 1023, 1024, 4095, 4096, 4097, 65535, 65536, 65537, 262144, (1 << 20) - 1, 1 << 20];
    const digest = (data) => createHash("sha256").update(data).digest("hex");
    const sent = sizes.map((size) => {
      const data = new Uint8Array(size);
      for (let i = 0; i < size; ++i) data[i] = (i * 31 + (i >> 8) + size) & 255;
      b.publish(subject, data);
      return digest(data);
    });
    const got = await take(subscription, sizes.length);
    assert.deepEqual(got.map((m) => m.data.length), sizes);
    assert.deepEqual(got.map((m) => digest(m.data)), sent);
    await Promise.all([a.close(), b.close()]);
  },

  async "a payload over the limit is refused"() {
    const a = await connected();
    assert.throws(() => a.publish(fresh(), new Uint8Array((1 << 20) + 1)), /payload|MAX_PAYLOAD/i);
    await a.close();
  },

  async "unsubscribe after a number of messages"() {
    const [a, b] = [await connected(), await connected()];
    const subject = fresh();
    const subscription = a.subscribe(subject, { max: 3 });
    await a.flush();
    for (let i = 0; i < 10; ++i) b.publish(subject, bytes(`${i}`));
    const got = [];
    for await (const message of subscription) got.push(text(message.data));
    assert.deepEqual(got, ["0", "1", "2"]);
    await Promise.all([a.close(), b.close()]);
  },

  async "without echo, a client does not hear itself"() {
    const a = await connected({ noEcho: true });
    const b = await connected();
    const subject = fresh();
    const subscription = a.subscribe(subject);
    await a.flush();
    a.publish(subject, bytes("mine"));
    await a.flush();
    b.publish(subject, bytes("theirs"));
    assert.deepEqual((await take(subscription, 1)).map((m) => text(m.data)), ["theirs"]);
    await Promise.all([a.close(), b.close()]);
  },

  async "verbose and pedantic"() {
    const a = await connected({ verbose: true, pedantic: true });
    const subject = fresh();
    const subscription = a.subscribe(subject);
    a.publish(subject, bytes("x"));
    assert.equal(text((await take(subscription, 1))[0].data), "x");
    await a.close();
  },

  async "drain: what was sent is handled, and then it ends"() {
    const [a, b] = [await connected(), await connected()];
    const subject = fresh();
    let handled = 0;
    const one = a.subscribe(subject, { callback: () => ++handled });
    await a.flush();
    for (let i = 0; i < 500; ++i) b.publish(subject, Empty);
    await b.flush();
    await one.drain();
    assert.equal(handled, 500);
    const other = a.subscribe(subject);
    a.publish(subject, bytes("last"));
    const last = take(other, 1);
    await a.drain();
    assert.equal(text((await last)[0].data), "last");
    assert.equal(await a.closed(), undefined);
    await b.close();
  },

  async "round trips are measured"() {
    const a = await connected();
    const time = await a.rtt();
    assert.ok(time >= 0 && time < 5000);
    await a.close();
  },

  async "a queue of Tram's, with nothing but this client"() {
    const a = await connected();
    const queue = fresh();
    const stored = JSON.parse(text((await a.request(`$TRAM.PUT.${queue}`, bytes("work"), { timeout: 10_000 })).data));
    assert.equal(stored.queue, queue);
    const got = await a.request(`$TRAM.TAKE.${queue}`, Empty, { timeout: 10_000 });
    assert.equal(text(got.data), "work");
    assert.equal(got.headers.get("Tram-Id"), `${stored.id}`);
    const done = await a.request(got.reply, bytes("+ACK"), { timeout: 10_000 });
    assert.deepEqual(JSON.parse(text(done.data)), { ok: true, count: 1 });
    const waiting = a.request(`$TRAM.GET.${queue}`, bytes('{"wait_ms":10000}'), { timeout: 15_000 });
    await a.flush();
    a.publish(`$TRAM.PUT.${queue}`, bytes("more"));
    assert.equal(text((await waiting).data), "more");
    const empty = await a.request(`$TRAM.GET.${queue}`, Empty, { timeout: 10_000 });
    assert.equal(empty.headers.code, 404);
    await a.close();
  },

  async "after a restart of the broker, subscriptions go on"() {
    const a = await connected({ reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    const b = await connected({ reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    const subject = fresh();
    const subscription = a.subscribe(subject);
    await Promise.all([a.flush(), b.flush()]);
    const back = [a, b].map(async (one) => {
      for await (const status of one.status()) if (status.type === "reconnect") return;
    });
    console.log("restart");
    assert.equal((await lines.next()).value, "restarted");
    await Promise.all(back);
    await a.flush();
    b.publish(subject, bytes("again"));
    assert.equal(text((await take(subscription, 1))[0].data), "again");
    await Promise.all([a.close(), b.close()]);
  },
};

let failed = 0;
for (const [name, story] of Object.entries(stories)) {
  let alarm;
  const late = new Promise((_, reject) => (alarm = setTimeout(() => reject(new Error("not within 30 s")), 30_000)));
  try {
    await Promise.race([story(), late]);
    console.log(`ok ${name}`);
  } catch (error) {
    ++failed;
    console.log(`FAILED ${name}: ${error.stack.replaceAll("\n", " | ")}`);
  }
  clearTimeout(alarm);
}
process.exit(failed ? 1 : 0);
