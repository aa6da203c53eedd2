"""A server that answers what the test says, for what no sane service does on demand: 429, broken lines, silence.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
import json
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def serve(self):
        length = self.headers.get('Content-Length')
        body = self.rfile.read(int(length)) if length else b''
        if self.headers.get('Transfer-Encoding') == 'chunked':
            while True:
                size = int(self.rfile.readline(), 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    break
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        self.server.answer(self)

    do_GET = do_POST = do_DELETE = serve

    def reply(self, status, value, kind='application/json', **headers):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {'Content-Type': kind, 'Content-Length': str(len(data)), **headers}.items():
            self.send_header(name.replace('_', '-'), text)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def scripted(answer):
    """answer(handler) for each request. Gives the server, with base_url and seen."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    server.answer, server.seen = answer, []
    server.base_url = f'http://127.0.0.1:{server.server_address[1]}'
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
