#!/usr/bin/env python3
"""Talks to the agent in many conversations at once, and shows who answers.

    python3 examples/quickstart/talk.py --seconds 60

One line a second: answers by release, failures, and the time that 95 of 100 answers needed at most.
Ends with status 1 if a request failed or a conversation was forgotten.
"""

import argparse
import http.client
import json
import sys
import threading
import time
import urllib.parse
import uuid
from collections import Counter

LINES = ["hello", "where is my parcel?", "it was due on monday", "what did I say?", "thank you"]


class Tally:
    """What was seen: in the last second, and in all."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now, self.all = Seen(), Seen()

    def answered(self, release, seconds):
        with self.lock:
            for seen in (self.now, self.all):
                seen.releases[release] += 1
                seen.seconds.append(seconds)

    def failed(self, why):
        with self.lock:
            for seen in (self.now, self.all):
                seen.failures[why] += 1

    def second(self):
        with self.lock:
            seen, self.now = self.now, Seen()
        return seen


class Seen:
    def __init__(self):
        self.releases, self.failures, self.seconds = Counter(), Counter(), []

    def __str__(self):
        total = sum(self.releases.values())
        shares = [
            f"{release} {count:4} ({100 * count / total:3.0f} %)"
            for release, count in sorted(self.releases.items(), key=lambda it: number(it[0]))
        ]
        failures = sum(self.failures.values())
        why = ": " + ", ".join(f"{why} {n}×" for why, n in self.failures.items()) if failures else ""
        p95 = f"p95 {1000 * self.p95():4.0f} ms"
        return "   ".join([*shares, p95, f"failed {failures}{why}"])

    def p95(self):
        ranked = sorted(self.seconds)
        return ranked[int(0.95 * (len(ranked) - 1))] if ranked else 0.0


def number(release):
    return int(release[1:]) if release[1:].isdigit() else 0


class Talker(threading.Thread):
    """One conversation after the other over one connection."""

    def __init__(self, options, tally, until):
        super().__init__(daemon=True)
        self.options, self.tally, self.until = options, tally, until
        self.connection = None

    def run(self):
        while time.monotonic() < self.until:
            self.converse(str(uuid.uuid4()))

    def converse(self, conversation):
        turn = 0
        for count, line in enumerate(LINES):
            if time.monotonic() >= self.until:
                return
            turn = self.say(conversation, line, turn, stream=count % 3 == 2)
            time.sleep(self.options.pause)

    def say(self, conversation, line, turn, stream):
        """Returns the turn that was reached."""
        begin = time.monotonic()
        try:
            status, answer = self.post(conversation, {"message": line, "stream": stream})
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.tally.failed(type(error).__name__)
            self.connection = None
            return turn
        if status != 200:
            self.tally.failed(f"status {status}")
            return turn
        self.tally.answered(answer["release"], time.monotonic() - begin)
        if answer["turn"] != turn + 1:
            self.tally.failed("forgotten")
        return answer["turn"]

    def post(self, conversation, message):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.options.url.netloc, timeout=30)
        headers = {"Content-Type": "application/json", "X-Conversation-Id": conversation}
        self.connection.request("POST", "/chat", json.dumps(message), headers)
        response = self.connection.getresponse()
        body = response.read().decode()
        return response.status, last_event(body) if response.status == 200 else None


def last_event(body):
    """The reply itself, or the last event of a stream."""
    return json.loads(body.strip().rsplit("data: ", 1)[-1])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", type=urllib.parse.urlsplit, default="http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--talkers", type=int, default=10, help="conversations at once")
    parser.add_argument("--pause", type=float, default=0.25, help="seconds between two turns")
    parser.add_argument("--allow-failures", action="store_true", help="end with status 0 anyway")
    return parser.parse_args()


def main():
    options = parse()
    tally = Tally()
    until = time.monotonic() + options.seconds
    talkers = [Talker(options, tally, until) for _ in range(options.talkers)]
    for talker in talkers:
        talker.start()
    try:
        while time.monotonic() < until:
            time.sleep(1)
            print(time.strftime("%H:%M:%S"), tally.second(), sep="   ", flush=True)
        for talker in talkers:
            talker.join(timeout=31)
    except KeyboardInterrupt:
        pass
    print("in all  ", tally.all, sep="   ")
    return 1 if tally.all.failures and not options.allow_failures else 0


if __name__ == "__main__":
    sys.exit(main())
