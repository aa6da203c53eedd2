"""tests/http/client: a service under test, raw connections to it, and what its OpenAPI document says of an answer.
SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import socket
import ssl

import rig


class Answer:
    """One answer: status, headers with names in lower case, body without its framing."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def lines(self):
        return [json.loads(line) for line in self.body.decode().splitlines()]

    def events(self):
        found = []
        for block in self.body.decode().split('\n\n'):
            fields = dict(line.split(': ', 1) for line in block.splitlines() if not line.startswith(':'))
            if fields:
                found.append((fields['event'], json.loads(fields['data'])))
        return found

    def __repr__(self):
        return f'{self.status} {self.headers}\n{self.body[:2000]!r}'


class Line:
    """A connection, bytes in and answers out."""

    def __init__(self, port, context=None):
        self.socket = socket.create_connection(('127.0.0.1', port), rig.PATIENCE_S)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname='localhost')
        self.file = self.socket.makefile('rb')

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.file.close()
        self.socket.close()

    def is_closed_by_server(self):
        """Whether the end comes; what was said before it does not matter."""
        try:
            while self.file.read(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        return True

    def rest(self):
        """All that still comes until the server closes."""
        found = b''
        try:
            while piece := self.file.read(65536):
                found += piece
        except (ConnectionError, ssl.SSLError):
            pass
        return found

    def read_chunks(self):
        body = b''
        while True:
            size = int(self.file.readline().split(b';')[0], 16)
            body += self.file.read(size)
            self.file.readline()
            if size == 0:
                return body

    def answer(self, is_head=False):
        head = self.file.readline()
        if not head:
            return None
        status = int(head.split()[1])
        headers = {}
        for line in iter(self.file.readline, b'\r\n'):
            name, _, value = line.decode().partition(':')
            headers[name.lower()] = value.strip()
        if is_head or status in (204, 304):
            body = b''
        elif headers.get('transfer-encoding') == 'chunked':
            body = self.read_chunks()
        elif 'content-length' in headers:
            body = self.file.read(int(headers['content-length']))
        else:
            body = self.file.read()
        return Answer(status, headers, body)


def request(method, target, body=None, headers=(), host='localhost'):
    """The bytes of a request; body bytes, or what becomes JSON."""
    lines = [f'{method} {target} HTTP/1.1', f'Host: {host}']
    data = b''
    if body is not None:
        is_raw = isinstance(body, bytes)
        data = body if is_raw else json.dumps(body).encode()
        lines.append(f'Content-Length: {len(data)}')
        if not any(name.lower() == 'content-type' for name, _ in headers):
            lines.append('Content-Type: application/json')
    lines += [f'{name}: {value}' for name, value in headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + data


class Schema:
    """As much of JSON Schema 2020-12 as the document uses."""
    TYPES = {'string': str, 'object': dict, 'array': list, 'boolean': bool, 'null': type(None)}

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while '$ref' in schema:
            node = self.document
            for part in schema['$ref'].lstrip('#/').split('/'):
                node = node[part]
            schema = node
        return schema

    def has_type(self, value, name):
        if name == 'integer':
            return isinstance(value, int) and not isinstance(value, bool)
        if name == 'number':
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, self.TYPES[name])

    def faults(self, value, schema, where=''):
        schema = self.resolve(schema)
        names = schema.get('type', [])
        names = [names] if isinstance(names, str) else names
        if names and not any(self.has_type(value, name) for name in names):
            return [f'{where}: {value!r} is not {names}']
        found = []
        if 'const' in schema and value != schema['const']:
            found.append(f'{where}: {value!r} is not {schema["const"]!r}')
        if 'enum' in schema and value not in schema['enum']:
            found.append(f'{where}: {value!r} is none of {schema["enum"]}')
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not schema.get('minimum', value) <= value <= schema.get('maximum', value):
                found.append(f'{where}: {value} is out of bounds')
        if isinstance(value, list) and 'items' in schema:
            for index, item in enumerate(value):
                found += self.faults(item, schema['items'], f'{where}/{index}')
        if isinstance(value, dict):
            found += self.object_faults(value, schema, where)
        return found

    def object_faults(self, value, schema, where):
        known = schema.get('properties', {})
        found = [f'{where}: {name} is missing' for name in schema.get('required', []) if name not in value]
        if schema.get('additionalProperties') is False:
            found += [f'{where}: {name} is not described' for name in value if name not in known]
        for name, item in value.items():
            if name in known:
                found += self.faults(item, known[name], f'{where}/{name}')
        return found

    def operation(self, method, target):
        path = target.split('?')[0]
        for pattern, item in self.document['paths'].items():
            if re.fullmatch(re.sub(r'\{\w+\}', '[^/]+', pattern), path) and method.lower() in item:
                return item[method.lower()]
        return None

    def answer_faults(self, method, target, answer):
        """What an answer has that the document does not describe."""
        operation = self.operation(method, target)
        if operation is None:
            problem = self.document['components']['responses']['Problem']
            described = problem if answer.status in (404, 405) else None
        else:
            described = operation['responses'].get(str(answer.status))
        if described is None:
            return [f'{method} {target}: status {answer.status} is not described']
        described = self.resolve(described)
        media = answer.headers.get('content-type', '').split(';')[0]
        if 'content' not in described and not answer.body:
            return []
        if media not in described.get('content', {}):
            return [f'{method} {target}: {answer.status} as {media!r} is not described']
        schema = described['content'][media]['schema']
        if media in ('application/json', 'application/problem+json'):
            return self.faults(answer.json(), schema, f'{method} {target} {answer.status}')
        if media == 'application/x-ndjson':
            return [fault for line in answer.lines() for fault in self.faults(line, schema)]
        return []


class Case(rig.Case):
    """A service of the case's own, on a free port."""
    extra = ()

    def serve(self, *words, env=None):
        """Starts it; sets self.port."""
        self.err = self.folder / 'log'
        with open(self.err, 'wb') as log:
            process = self.start('serve', '--listen', '127.0.0.1:0', *self.extra, *words, stderr=log, env=env or {})
        rig.wait_until(lambda: 'API key' in self.log() or process.poll() is not None, 'serve listens')
        found = re.search(r'listening at https?://127\.0\.0\.1:(\d+)/', self.log())
        self.assertTrue(found, self.log())
        self.port = int(found.group(1))
        rig.wait_until(lambda: process.poll() is not None or self.ask('GET', '/readyz').status == 200, 'it is ready')
        return process

    context = None

    def log(self):
        return self.err.read_bytes().decode()

    def line(self):
        line = Line(self.port, self.context)
        self.addCleanup(line.close)
        return line

    def raw(self, data, is_head=False):
        line = self.line()
        try:
            line.send(data)
        except ConnectionError:
            pass  # it was answered before all was sent
        answer = line.answer(is_head)
        line.close()
        return answer

    def ask(self, method, target, body=None, headers=(), host='localhost'):
        return self.raw(request(method, target, body, headers, host), is_head=method == 'HEAD')

    def metric(self, name):
        page = self.ask('GET', '/metrics').body.decode()
        found = re.search(rf'(?m)^{re.escape(name)} (\S+)$', page)
        return float(found.group(1)) if found else 0.0
