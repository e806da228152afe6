"""A chat agent in the standard library. It answers, streams, remembers, and leaves politely."""

import json
import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections import OrderedDict
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RELEASE = os.environ.get("AGENT_RELEASE", "r0")
REPLICA = os.environ.get("AGENT_REPLICA", "0")
TROUBLES = ("none", "errors", "slow")
MOST_CONVERSATIONS = 10_000
SECONDS_PER_WORD = 0.02


def load_config():
    path = os.environ.get("AGENT_CONFIG")
    if path is None:
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Agent:
    """Knows what was said in each conversation, and answers."""

    def __init__(self, config):
        settings = config.get("settings", {})
        self.model = config.get("model", "parrot-1")
        self.greeting = settings.get("greeting", "Hello!")
        self.trouble = settings.get("trouble", "none")
        if self.trouble not in TROUBLES:
            sys.exit(f'settings.trouble is "{self.trouble}"; it can be {", ".join(TROUBLES)}')
        self.answers = 0
        self.said = OrderedDict()
        self.lock = threading.Lock()

    def answer(self, conversation, message):
        """The reply as JSON. Raises RuntimeError when it has trouble."""
        self.stumble()
        with self.lock:
            before = self.recall(conversation)
            reply = self.reply(message, before)
            before.append(message)
            turn = len(before)
        prompt, completion = len(message.split()), len(reply.split())
        return {
            "reply": reply,
            "conversation": conversation,
            "turn": turn,
            "release": RELEASE,
            "replica": REPLICA,
            "model": self.model,
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }

    def stumble(self):
        """The first answer always works: so a probe alone does not find a bad release."""
        with self.lock:
            self.answers += 1
            number = self.answers
        if self.trouble == "slow":
            time.sleep(2)
        if self.trouble == "errors" and number % 3 == 0:
            raise RuntimeError(f"trouble with answer {number}")

    def recall(self, conversation):
        said = self.said.setdefault(conversation, [])
        self.said.move_to_end(conversation)
        if len(self.said) > MOST_CONVERSATIONS:
            self.said.popitem(last=False)
        return said

    def reply(self, message, before):
        if not before:
            return f'{self.greeting} You said "{message}".'
        if "what did i say" in message.lower():
            return "You said " + ", then ".join(f'"{said}"' for said in before) + "."
        return f'You said "{message}", and before that you said "{before[-1]}".'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path in ("/health/live", "/health/ready"):
            self.send(200, {"status": "ok", "release": RELEASE})
        else:
            self.send(404, {"error": "there is POST /chat, GET /health/live and GET /health/ready"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/chat":
            return self.send(404, {"error": "there is POST /chat"})
        try:
            request = json.loads(body)
            message = str(request["message"])
        except (ValueError, KeyError, TypeError):
            return self.send(400, {"error": 'send {"message": "…", "conversation": "…"}'})
        self.chat(request, message)

    def chat(self, request, message):
        conversation = self.headers.get("X-Conversation-Id") or request.get("conversation")
        try:
            answer = self.server.agent.answer(str(conversation or uuid.uuid4()), message)
        except RuntimeError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return self.send(500, {"error": str(error), "release": RELEASE})
        if request.get("stream") or "text/event-stream" in self.headers.get("Accept", ""):
            self.stream(answer)
        else:
            self.send(200, answer)

    def send(self, status, answer):
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, answer):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in answer.pop("reply").split():
            self.event({"word": word})
            time.sleep(SECONDS_PER_WORD)
        self.event(answer)  # the last event: usage, turn, release
        self.wfile.write(b"0\r\n\r\n")

    def event(self, data):
        event = f"data: {json.dumps(data)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def handle(self):
        with suppress(ConnectionError):  # who asked has gone
            super().handle()

    # A connection is idle between two requests; only then may it be closed.

    def handle_one_request(self):
        if not self.server.idles(self.connection):
            self.close_connection = True
            return
        super().handle_one_request()

    def parse_request(self):
        self.server.works(self.connection)
        return super().parse_request()

    def finish(self):
        self.server.works(self.connection)
        super().finish()

    def log_message(self, *_):
        """Every request in the log would hide what matters."""


class Server(ThreadingHTTPServer):
    daemon_threads = False  # so that the end waits for open requests
    request_queue_size = 128

    def __init__(self, address, agent):
        super().__init__(address, Handler)
        self.agent = agent
        self.idle = set()
        self.leaving = False
        self.lock = threading.Lock()

    def idles(self, connection):
        """Whether another request may come over this connection."""
        with self.lock:
            if not self.leaving:
                self.idle.add(connection)
            return not self.leaving

    def works(self, connection):
        with self.lock:
            self.idle.discard(connection)

    def leave(self):
        """Finishes open requests, takes no new ones, and returns when all are done."""
        with self.lock:
            self.leaving = True
            for connection in self.idle:
                with suppress(OSError):  # it may be gone already
                    connection.shutdown(socket.SHUT_RD)
        self.server_close()


def main():
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000")))
    server = Server(address, Agent(load_config()))

    def stop(*_):
        # shutdown() waits for the loop that the signal has interrupted: hence the thread.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"{RELEASE}, replica {REPLICA}, listens on {address[0]}:{address[1]}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.leave()
    print("all requests are answered; bye", flush=True)


if __name__ == "__main__":
    main()
