"""GopherMQ's HTTP endpoints: wrk sends, and a mailbox is emptied beside it and what was in it counted."""
import http.client
import json
import subprocess
import threading
import time
from pathlib import Path

SCRIPT = Path(__file__).with_name("publish.lua")
CONNECTIONS = 50
FETCH_SECONDS = 0.02  # Between two fetches: seldom enough to cost little, often enough that little waits.
DATA = "x" * 128


class Mailbox:
    def __init__(self, port, subject):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.subject = subject
        self.id = self.post("/api/subscribe", {"subject": subject})["id"]

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise OSError(f"{path} answered {answer.status}: {text[:100]!r}")
        return json.loads(text)

    def fetch(self):
        return self.post("/api/fetch", {"subject": self.subject, "id": self.id})["data"]


def wrk(server, path, body, seconds):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(SCRIPT),
               f"http://127.0.0.1:{server.ports['http']}", "--", path, json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise OSError(f"wrk ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measured(server, path, body, seconds):
    before = server.cpu_seconds()
    result = wrk(server, path, body, seconds)
    cpu = server.cpu_seconds() - before
    problems = [f"{result[what]} requests {what}" for what in ("refused", "broken") if result[what]]
    return result, {"per_second": result["requests"] / result["seconds"],
                    "server_cpu_seconds_per_million": cpu / result["requests"] * 1e6,
                    "p50_us": result["p50_us"], "p99_us": result["p99_us"]}, problems


def publish(server, seconds):
    """50 connections publish to one subject with one mailbox: (metrics, problems). Server CPU includes the fetches."""
    mailbox = Mailbox(server.ports["http"], "bench.publish")
    mailbox.fetch()
    fetched, wrong, failures, ended = 0, 0, [], threading.Event()

    def take():
        nonlocal fetched, wrong
        data = mailbox.fetch()
        fetched += len(data)
        wrong += len(data) - data.count(DATA)
        return len(data)

    def empty_the_mailbox():
        try:
            while not ended.wait(FETCH_SECONDS):
                take()
        except OSError as error:
            failures.append(str(error))

    fetcher = threading.Thread(target=empty_the_mailbox)
    fetcher.start()
    try:
        result, metrics, problems = measured(server, "/api/publish", {"subject": "bench.publish", "data": DATA}, seconds)
    finally:
        ended.set()
        fetcher.join()
    time.sleep(0.1)  # What was in flight when wrk ended, at most one request per connection, is published by now.
    while not failures and take():
        pass
    if not result["requests"] <= fetched <= result["requests"] + CONNECTIONS:
        problems.append(f"{result['requests']} published, {fetched} fetched")
    if wrong:
        problems.append(f"{wrong} messages with the wrong content")
    return metrics, problems + failures


def fetch_nothing(server, seconds):
    """50 connections fetch from one mailbox that is empty."""
    mailbox = Mailbox(server.ports["http"], "bench.empty")
    _, metrics, problems = measured(server, "/api/fetch", {"subject": "bench.empty", "id": mailbox.id}, seconds)
    return metrics, problems
