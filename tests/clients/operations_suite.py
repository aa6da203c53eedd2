"""Both clients against the OpenAPI document: each operation has a method that sends it, and each type the members of its
schema.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import subprocess
import sys
import typing
import unittest

from service import PATIENCE_S, ROOT

sys.path[:0] = [str(ROOT / 'clients/python'), str(ROOT / 'clients/python/tests')]

import heloise_client.types
from heloise_client import Heloise
from scripted import scripted

DOCUMENT = json.loads((ROOT / 'data/api/openapi.json').read_text())
TYPES_OF_JAVASCRIPT = (ROOT / 'clients/javascript/src/index.d.ts').read_text()

# The method of an operation, as Python calls it, and what is given to it.
METHODS = {
    'verify': ('verify', 'a@b.example'),
    'verifyStream': ('verify_stream', 'a@b.example'),
    'verifyMany': ('verify_many', ['a@b.example']),
    'getAddress': ('address', 'a@b.example'),
    'deleteAddress': ('erase', 'a@b.example'),
    'getHistory': ('history', 'a@b.example'),
    'getDomain': ('domain', 'b.example'),
    'getDnsHealth': ('dns_health', 'b.example'),
    'getEgresses': ('egresses',),
    'getSites': ('sites',),
    'extract': ('extract', 'text'),
    'getLists': ('lists',),
    'testLists': ('test_lists',),
    'getListEntries': ('list_entries', 'free'),
    'addListEntry': ('add_list_entry', 'free', 'a.example'),
    'removeListEntry': ('remove_list_entry', 'free', 'a.example'),
    'probe': ('probe', 'b.example'),
    'addOutcomes': ('report_outcomes', 'email,outcome\n'),
    'listBatches': ('batches',),
    'addBatch': ('create_batch', 'email\n'),
    'getBatch': ('batch', 'b_1'),
    'deleteBatch': ('delete_batch', 'b_1'),
    'getBatchResults': ('download_results', 'b_1'),
    'watchBatch': ('batch_events', 'b_1'),
    'pauseBatch': ('pause_batch', 'b_1'),
    'resumeBatch': ('resume_batch', 'b_1'),
    'cancelBatch': ('cancel_batch', 'b_1'),
    'listWebhooks': ('webhooks',),
    'webhookSecret': ('webhook_secret', 'https://a.example/'),
    'replayWebhook': ('replay_webhook', 'evt_1'),
    'listWatches': ('watches',),
    'createWatch': ('create_watch', 'b_1', '7d'),
    'getWatch': ('watch', 'w_1'),
    'deleteWatch': ('delete_watch', 'w_1'),
    'listWatchChanges': ('watch_changes', 'w_1'),
    'runWatch': ('run_watch', 'w_1'),
    'pauseWatch': ('pause_watch', 'w_1'),
    'resumeWatch': ('resume_watch', 'w_1'),
    'version': ('version',),
}
# Other services' clients are theirs; health, metrics and the document are read by programs of their own.
EXCEPTIONS = {'healthz', 'readyz', 'metrics', 'openapi'}
EXCEPTED_TAG = 'drop-in'

# Schemas by the name that both clients have for them; None: the client's type is a part of another one.
SCHEMAS = {'Batch': 'Batch', 'Domain': 'Domain', 'DnsHealth': 'DnsHealth', 'Egress': 'Egress', 'Extracted': 'Extracted',
           'History': 'History', 'Learned': 'Learned', 'Record': 'Answer', 'Row': 'Row', 'Site': 'Site', 'Watch': 'Watch',
           'List': 'List', 'ListTest': 'ListTest', 'ListChange': 'ListChange', 'Probe': 'Probe', 'WatchChange': 'WatchChange', 'Webhook': 'Webhook'}


def operations():
    """(id, method, pattern) of those that clients should have."""
    for path, item in DOCUMENT['paths'].items():
        for method, operation in item.items():
            if method != 'parameters' and EXCEPTED_TAG not in operation['tags'] and operation['operationId'] not in EXCEPTIONS:
                yield operation['operationId'], method.upper(), re.sub(r'\\\{\w+\\\}', '[^/]+', re.escape(path))


def camel(name):
    return re.sub(r'_(\w)', lambda found: found.group(1).upper(), name)


def reply(handler):
    """Whatever a method takes out of an answer is there."""
    handler.reply(200, {'egresses': [], 'secret': 'whsec_', 'lists': []})


SCRIPT = '''
import { Heloise } from 'CLIENT';
const calls = JSON.parse(process.argv[2]);
const sent = {};
for (const [id, name, ...given] of calls) {
    const fetch = async (url, init) => {
        sent[id] = [init.method, new URL(url).pathname];
        return new Response(JSON.stringify({ egresses: [], secret: '', lists: [] }), { status: 200 });
    };
    const answer = new Heloise({ baseUrl: 'http://a.example', fetch })[name](...given);
    await (typeof answer.next === 'function' ? answer.next() : answer);
}
console.log(JSON.stringify(sent));
'''


class Operations(unittest.TestCase):
    def check(self, sent):
        for name, method, pattern in operations():
            with self.subTest(name):
                self.assertIn(name, sent, 'this operation has no method in the clients')
                self.assertEqual(sent[name][0], method)
                self.assertRegex(sent[name][1], f'^{pattern}$')

    def test_table(self):
        self.assertEqual(sorted(METHODS), sorted(name for name, _, _ in operations()))

    def test_python(self):
        sent = {}
        for name, (method, *given) in METHODS.items():
            with scripted(reply) as server:
                answer = getattr(Heloise(server.base_url), method)(*given)
                if hasattr(answer, '__next__'):
                    next(answer, None)
                elif hasattr(answer, 'close'):
                    answer.close()
                (sent_method, target, *_), = server.seen
                sent[name] = (sent_method, target.partition('?')[0])
        self.check(sent)

    def test_javascript(self):
        calls = [[name, camel(method), *given] for name, (method, *given) in METHODS.items()]
        script = SCRIPT.replace('CLIENT', (ROOT / 'clients/javascript/src/index.js').as_uri())
        done = subprocess.run(['node', '--input-type=module', '-', json.dumps(calls)], input=script, capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(json.loads(done.stdout))
        for _, method, *_ in calls:
            self.assertRegex(TYPES_OF_JAVASCRIPT, rf'\n    {method}\(', 'its type is missing')

    def test_documented(self):
        for readme, names in (('python', [method for method, *_ in METHODS.values()]),
                              ('javascript', [camel(method) for method, *_ in METHODS.values()])):
            text = (ROOT / f'clients/{readme}/README.md').read_text()
            self.assertEqual([name for name in names if not re.search(rf'\b{name}\b', text)], [])


class Types(unittest.TestCase):
    def test_python(self):
        for schema, name in SCHEMAS.items():
            known = typing.get_type_hints(getattr(heloise_client.types, name))
            self.assertEqual(set(DOCUMENT['components']['schemas'][schema]['properties']) - set(known), set(), name)

    def test_javascript(self):
        for schema, name in SCHEMAS.items():
            names, text = [name], ''
            while names:
                found = re.search(rf'export interface {names.pop()}(?: extends (\w+))? \{{(.*?)\n?\}}\n', TYPES_OF_JAVASCRIPT, re.S)
                self.assertIsNotNone(found, name)
                names += [found.group(1)] if found.group(1) else []
                text += found.group(2)
            missing = [one for one in DOCUMENT['components']['schemas'][schema]['properties'] if not re.search(rf'\b{one}\??:', text)]
            self.assertEqual(missing, [], name)
