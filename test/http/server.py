#!/usr/bin/env python3
"""A web server for the tests, which answers and misbehaves as it is told.

usage: server.py [CERTIFICATE KEY]

Prints the port of http and, with a certificate, that of https, in one line;
ends with its standard input.  What a path answers is set by POST /define:

  {"path": "/x", "answers": [{"status": 200, "headers": {}, "body": "", "delay": s,
   "mode": ""}]}         one answer after the other; the last one stays

Modes: reset (closes without answer), cut (closes within the body), endless (a
body without end), hollow (gzip without end that unpacks to nothing), bomb (64
MB of zeros as gzip), flood (headers without end), drip (a byte now and then),
echo (the request, as json).
GET /log gives the requests since the last /define, GET /most how many that came after it
were under way at once: clients that gave up have left others behind.
"""
import gzip
import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

lock = threading.Lock()
answers = {}
log = []
bomb = gzip.compress(bytes(64 << 20), 1)
busy = {"now": 0, "most": 0, "defined": 0}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, value):
        self.send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def define(self, body):
        given = json.loads(body)
        with lock:
            answers[given["path"]] = list(given["answers"])
            log.clear()
            busy.update(now=0, most=0, defined=busy["defined"] + 1)
        self.send_json({})

    def endless(self, headers={}, piece=b"x" * 65536):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(piece)

    def hollow(self):
        self.endless({"Content-Encoding": "gzip"}, gzip.compress(b"") * 4096)

    def bomb(self):
        self.send(200, {"Content-Encoding": "gzip"}, bomb)

    def flood(self):
        self.send_response(200)
        for i in range(4000):
            self.send_header("X-%d" % i, "x" * 200)
        self.end_headers()
        self.close_connection = True

    def cut(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + 100))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True

    def misbehave(self, answer, body):
        mode = answer["mode"]
        if mode == "cut":
            self.cut(body)
        elif mode == "echo":
            self.send_json({"method": self.command, "path": self.path, "headers": dict(self.headers),
                            "body": log[-1]["body"]})
        else:
            {"endless": self.endless, "hollow": self.hollow, "bomb": self.bomb, "flood": self.flood, "drip": self.drip,
             "reset": self.reset}[mode]()

    # A request is one of those at once until its answer begins: whoever has that may send the next one.
    def delay(self, seconds):
        with lock:
            defined = busy["defined"]
            busy["now"] += 1
            busy["most"] = max(busy["most"], busy["now"])
        time.sleep(seconds)
        with lock:
            busy["now"] -= busy["defined"] == defined

    def answer(self, path):
        with lock:
            found = answers.get(path)
            answer = None if not found else found.pop(0) if len(found) > 1 else found[0]
        if answer is None:
            return self.send(404, {"Content-Type": "text/plain"}, b"nothing here")
        self.delay(answer.get("delay", 0))
        body = answer.get("body", "")
        body = bytes.fromhex(answer["hex"]) if "hex" in answer else \
            (body if isinstance(body, str) else json.dumps(body)).encode()
        if answer.get("mode"):
            return self.misbehave(answer, body)
        headers = dict(answer.get("headers", {}))
        headers.setdefault("Content-Type", "application/json")
        self.send(answer.get("status", 200), headers, body)

    def handle_request(self):
        body = self.read_body()
        path = urlsplit(self.path).path
        if path == "/define":
            return self.define(body)
        if path == "/log":
            return self.send_json(log)
        if path == "/most":
            return self.send_json(busy["most"])
        with lock:
            log.append({"method": self.command, "path": self.path, "headers": dict(self.headers),
                        "body": body.decode("latin1"), "at": time.time(), "port": self.server.server_port})
        try:
            self.answer(path)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, address):
        pass


def serve(certificate=None):
    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


ports = [serve()] + ([serve(sys.argv[1:3])] if len(sys.argv) > 2 else [])
print(*ports, flush=True)
sys.stdin.read()
