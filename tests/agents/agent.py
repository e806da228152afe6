"""An agent for the tests: how it behaves is told by its environment."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RELEASE = os.environ.get("AGENT_RELEASE", "?")
ANSWER = os.environ.get("ANSWER", "hello")
FAIL_EVERY = int(os.environ.get("FAIL_EVERY", "0"))
TOKENS = os.environ.get("TOKENS")
COST = os.environ.get("COST")
DELAY = float(os.environ.get("DELAY", "0"))
TARGETS = os.environ.get("TARGETS")
READY_WITH = os.environ.get("READY_WITH", "/")
COUNT = FAILED = 0
COUNTING = threading.Lock()
SICK = threading.Event()
OPEN = set()
LEAVING = threading.Event()


def next_fails():
    """The first answer always works, so that a probe passes."""
    global COUNT, FAILED
    with COUNTING:
        COUNT += 1
        fails = bool(FAIL_EVERY and COUNT > 1 and COUNT % FAIL_EVERY == 0)
        FAILED += fails
        return fails


class Agent(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if LEAVING.is_set():
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/ready":
            ready = "NEVER_READY" not in os.environ and not SICK.is_set()
            ready = ready and os.path.exists(READY_WITH)
            return self.answer(200 if ready else 503, "{}")
        if self.path == "/sicken" and "SICKENS" in os.environ:
            SICK.set()
        if self.path.startswith("/stream"):
            return self.stream()
        if self.path == "/env":
            return self.answer(200, json.dumps(dict(os.environ)))
        if self.path == "/metrics":
            figures = f"agent_requests_total {COUNT}\nagent_errors_total {FAILED}\n"
            return self.answer(200, figures, "text/plain; version=0.0.4")
        if self.path == "/config":
            with open(os.environ["AGENT_CONFIG"]) as file:
                return self.answer(200, file.read())
        if self.headers.get("Upgrade"):
            return self.echo()
        self.reply()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply()

    def reply(self):
        time.sleep(DELAY)
        status = 500 if next_fails() else 200
        reply = {"reply": ANSWER, "release": RELEASE, "pid": os.getpid()}
        if "SAYS_SHADOW" in os.environ:
            reply["shadow"] = self.headers.get("X-Agentctl-Shadow")
        if TOKENS:
            reply["usage"] = {"total_tokens": int(TOKENS)}
        if COST:
            reply["usage"] = {"cost": float(COST)}
        self.answer(status, json.dumps(reply))

    def stream(self):
        """As many events as the path says, a tenth of a second apart."""
        events = int(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(events):
            if number == 3 and "CUTS" in os.environ:
                self.close_connection = True
                return
            event = f"data: {RELEASE} {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            time.sleep(0.1)
        self.wfile.write(b"0\r\n\r\n")

    def echo(self):
        """After the upgrade every line comes back, with the release before it."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        for line in self.rfile:
            self.wfile.write(f"{RELEASE} ".encode() + line)
            self.wfile.flush()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def process_request(self, request, client_address):
        OPEN.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        OPEN.discard(request)


def tell_where():
    """A Prometheus finds its replica by that, as the docs say."""
    file = os.path.join(TARGETS, f"{RELEASE}-{os.environ['AGENT_REPLICA']}.json")
    labels = {"agent": os.environ["AGENT_NAME"], "release": RELEASE}
    with open(file + ".new", "w") as fresh:
        json.dump([{"targets": [f"127.0.0.1:{os.environ['PORT']}"], "labels": labels}], fresh)
    os.rename(file + ".new", file)


def die():
    print("ValueError: out of luck", flush=True)
    os._exit(4)


def leave():
    """Each connection gets its answer, and is closed with it."""
    LEAVING.set()
    until = time.time() + float(os.environ["LEAVES_WITHIN"])
    while OPEN and time.time() < until:
        time.sleep(0.05)
    os._exit(0)


def main():
    print(f"agent {RELEASE} starts", flush=True)
    if "TELLS" in os.environ:
        print(f"{os.environ['TELLS']}={os.environ[os.environ['TELLS']]}", flush=True)
    if "LAST_WORDS" in os.environ:
        print(os.environ["LAST_WORDS"], flush=True)
        sys.exit(3)
    if TARGETS:
        tell_where()
    if "LEAKS" in os.environ:
        hoard = b"x" * (1 << 30)
    if "DIES_AFTER" in os.environ:
        threading.Timer(float(os.environ["DIES_AFTER"]), die).start()
    stop = signal.SIG_IGN if "IGNORE_TERM" in os.environ else lambda *_: sys.exit(0)
    if "LEAVES_WITHIN" in os.environ:
        stop = lambda *_: threading.Thread(target=leave).start()
    signal.signal(signal.SIGTERM, stop)
    Server((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])), Agent).serve_forever()


main()
