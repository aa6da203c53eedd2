"""The service as an object. Every method may raise HeloiseError (the service refuses) or HeloiseUnreachable.

SPDX-License-Identifier: Apache-2.0
"""
import http.client
import time
import typing
import urllib.parse

from .errors import HeloiseError
from .transport import Body, Transport, events, ndjson
from .types import (
    Answer, Batch, Batches, DnsHealth, Domain, Egress, Event, Extracted, History, Learned, List, ListChange, ListEntries, ListTest,
    Probe, ProbeOptions, Row, Sites, Verdict, Version, Watch, WatchChanges, Watches, Webhooks,
)

ANSWER_GRACE_S = 5.0  # on top of the time that the service was given
POLL_S = 2.0
PROBE_MS = 60000  # that the service gives a test where nothing is said
CONTENT_TYPES = {
    'csv': 'text/csv', 'txt': 'text/plain', 'ndjson': 'application/x-ndjson', 'json': 'application/json',
    'xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}


def _path(*parts: str) -> str:
    return '/v1/' + '/'.join(urllib.parse.quote(part, safe='') for part in parts)


def _given(**values: typing.Any) -> typing.Dict[str, typing.Any]:
    return {name: value for name, value in values.items() if value is not None}


def _content_type(filename: str) -> str:
    return CONTENT_TYPES.get(filename.rpartition('.')[2].lower(), 'text/csv')

def _without_errors(stream: typing.Iterator[Event]) -> typing.Iterator[Event]:
    """The events of a stream; one that says what went wrong is raised."""
    for event in stream:
        if event.type == 'error':
            raise HeloiseError(500, {'detail': event.data['text']})
        yield event


class Heloise:
    """base_url: of the service. timeout_s: for each read from the line. A 429 or 503 that names a wait of at most
    retry_wait_max_s is asked again, `retries` times. May be shared by threads: each call has its own connection."""

    def __init__(self, base_url: str = 'http://127.0.0.1:8025', key: typing.Optional[str] = None, timeout_s: float = 150.0,
                 retries: int = 2, retry_wait_max_s: float = 30.0):
        self._transport = Transport(base_url, key, timeout_s, retries, retry_wait_max_s)

    def verify(self, email: str, timeout_ms: typing.Optional[int] = None, fresh: typing.Optional[bool] = None,
               transcript: typing.Optional[bool] = None) -> Answer:
        """One address: its record. Where the time is over first, `pending` is true and it says what is known by then."""
        value = _given(email=email, timeout_ms=timeout_ms, fresh=fresh, transcript=transcript)
        timeout_s = None if timeout_ms is None else timeout_ms / 1000 + ANSWER_GRACE_S
        return self._transport.json('POST', '/v1/verify', value, timeout_s=timeout_s)

    def verify_stream(self, email: str, timeout_ms: typing.Optional[int] = None,
                      fresh: typing.Optional[bool] = None) -> typing.Iterator[Event]:
        """The conversation as it happens: events of type stage and line, and verdict or pending as the last."""
        response = self._transport.send('GET', '/v1/verify/stream', headers={'Accept': 'text/event-stream'},
                                        query={'email': email, 'timeout_ms': timeout_ms, 'fresh': fresh})
        yield from _without_errors(events(response))

    def verify_many(self, emails: typing.Iterable[str], timeout_ms: typing.Optional[int] = None,
                    fresh: typing.Optional[bool] = None) -> typing.Iterator[Row]:
        """Up to 1,000 addresses; records come as they are found, each with its `row` in the list, from 1."""
        value = _given(emails=list(emails), timeout_ms=timeout_ms, fresh=fresh)
        yield from ndjson(self._transport.post_json('/v1/verify/many', value, accept='application/x-ndjson'))

    def create_batch(self, body: Body, filename: str = 'list.csv', column: typing.Optional[str] = None,
                     label: typing.Optional[str] = None, webhook: typing.Optional[str] = None,
                     idempotency_key: typing.Optional[str] = None, content_type: typing.Optional[str] = None,
                     webhook_results: typing.Optional[bool] = None) -> Batch:
        """Uploads a list: text, bytes or an open file, which is sent as it is read. webhook_results: the webhook hears of each
        result too."""
        results = None if webhook_results is None else 'yes' if webhook_results else 'no'
        headers = _given(**{'Content-Type': content_type or _content_type(filename), 'Idempotency-Key': idempotency_key})
        return self._transport.json('POST', '/v1/batches', body=body, headers=headers,
                                    query={'name': filename, 'column': column, 'label': label, 'webhook': webhook,
                                           'webhook_results': results})

    def batches(self, limit: typing.Optional[int] = None, before: typing.Optional[str] = None) -> Batches:
        """One page, newest first; pass its `next` as before for the one after it."""
        return self._transport.json('GET', '/v1/batches', query={'limit': limit, 'before': before})

    def batch(self, batch_id: str) -> Batch:
        return self._transport.json('GET', _path('batches', batch_id))

    def pause_batch(self, batch_id: str) -> Batch:
        return self._transport.json('POST', _path('batches', batch_id, 'pause'))

    def resume_batch(self, batch_id: str) -> Batch:
        return self._transport.json('POST', _path('batches', batch_id, 'resume'))

    def cancel_batch(self, batch_id: str) -> Batch:
        return self._transport.json('POST', _path('batches', batch_id, 'cancel'))

    def delete_batch(self, batch_id: str) -> None:
        self._transport.json('DELETE', _path('batches', batch_id))

    def wait_for_batch(self, batch_id: str, poll_s: float = POLL_S) -> Batch:
        """The batch when nothing more will happen to it."""
        while True:
            batch = self.batch(batch_id)
            if batch['state'] in ('done', 'cancelled', 'failed'):
                return batch
            time.sleep(poll_s)

    def batch_events(self, batch_id: str) -> typing.Iterator[Event]:
        """Progress as events: progress, and over as the last."""
        yield from events(self._transport.send('GET', _path('batches', batch_id, 'events'),
                                               headers={'Accept': 'text/event-stream'}))

    def download_results(self, batch_id: str, format: str = 'csv', status: typing.Optional[str] = None,
                         sub_status: typing.Optional[str] = None,
                         finished_only: typing.Optional[bool] = None) -> http.client.HTTPResponse:
        """The results as a file, to be read and closed. status, sub_status: one or several, joined by commas."""
        return self._transport.send('GET', _path('batches', batch_id, 'results'),
                                    query={'format': format, 'status': status, 'sub_status': sub_status,
                                           'finished_rows_only': finished_only})

    def results(self, batch_id: str, status: typing.Optional[str] = None, sub_status: typing.Optional[str] = None,
                finished_only: typing.Optional[bool] = None) -> typing.Iterator[typing.Dict[str, typing.Any]]:
        """The rows of the list, each with its record as 'heloise'; None: there is no result yet."""
        yield from ndjson(self.download_results(batch_id, 'ndjson', status, sub_status, finished_only))

    def lists(self) -> typing.List[List]:
        """The lists that flags and suggestions come from: what each is for, holds and comes from."""
        return self._transport.json('GET', '/v1/lists')['lists']

    def test_lists(self, domain: typing.Optional[str] = None, address: typing.Optional[str] = None) -> ListTest:
        """Which lists speak of a domain or an address (one of them), and which entry of which file decides."""
        return self._transport.json('GET', '/v1/lists/test', query={'domain': domain, 'address': address})

    def list_entries(self, name: str, limit: typing.Optional[int] = None, offset: typing.Optional[int] = None) -> ListEntries:
        """Own entries of a list, so many after the first `offset`."""
        return self._transport.json('GET', _path('lists', name, 'entries'), query={'limit': limit, 'offset': offset})

    def add_list_entry(self, name: str, entry: str) -> ListChange:
        """Puts an entry on a list; it counts at once. The key needs the scope admin."""
        return self._transport.json('POST', _path('lists', name, 'entries'), {'entry': entry})

    def remove_list_entry(self, name: str, entry: str) -> ListChange:
        """Takes an entry off a list, an own one or one of the program's. The key needs the scope admin."""
        return self._transport.json('DELETE', _path('lists', name, 'entries', entry))

    def address(self, email: str) -> Verdict:
        """What is stored of an address and still alive; nobody is asked."""
        return self._transport.json('GET', _path('addresses', email))

    def history(self, email: str, limit: typing.Optional[int] = None) -> History:
        """What was seen of an address in earlier runs, newest first."""
        return self._transport.json('GET', _path('addresses', email, 'history'), query={'limit': limit})

    def erase(self, email: str) -> None:
        """Removes all that is stored of an address."""
        self._transport.json('DELETE', _path('addresses', email))

    def probe(self, target: str, options: typing.Optional[ProbeOptions] = None) -> Probe:
        """The test of a mail server: a domain, HOST:PORT, an address, or an URL."""
        value = {**(options or {}), 'target': target}
        timeout_s = value.get('timeout_ms', PROBE_MS) / 1000 + ANSWER_GRACE_S
        return self._transport.json('POST', '/v1/probe', value, timeout_s=timeout_s)

    def probe_stream(self, target: str, options: typing.Optional[ProbeOptions] = None) -> typing.Iterator[Event]:
        """The same as it happens: events of type stage and line, and result, whose data is a Probe, as the last."""
        value = {**(options or {}), 'target': target}
        yield from _without_errors(events(self._transport.post_json('/v1/probe', value, accept='text/event-stream')))

    def domain(self, name: str) -> Domain:
        """What is known of a domain and who serves it; nobody is asked."""
        return self._transport.json('GET', _path('domains', name))

    def dns_health(self, domain: str, selectors: typing.Optional[str] = None, smtp: typing.Optional[bool] = None) -> DnsHealth:
        """What the DNS of a domain does to its mail. selectors: of DKIM, joined by commas; smtp False: mail servers are not
        contacted."""
        return self._transport.json('GET', _path('dns', domain), query={'selectors': selectors, 'smtp': smtp})

    def egresses(self) -> typing.List[Egress]:
        """The ways out."""
        return self._transport.json('GET', '/v1/egresses')['egresses']

    def sites(self, provider: typing.Optional[str] = None, health: typing.Optional[str] = None,
              limit: typing.Optional[int] = None, after: typing.Optional[str] = None) -> Sites:
        """A page of the far ends that were talked to; pass its `next` as after for the one after it."""
        return self._transport.json('GET', '/v1/sites',
                                    query={'provider': provider, 'health': health, 'limit': limit, 'after': after})

    def extract(self, body: Body, obfuscated: typing.Optional[bool] = None, hidden: typing.Optional[bool] = None,
                content_type: str = 'application/octet-stream') -> Extracted:
        """The addresses in a text or a file of any kind. obfuscated: 'jane [at] example [dot] com' counts; hidden: so do comments
        and scripts of HTML."""
        return self._transport.json('POST', '/v1/extract', body=body, headers={'Content-Type': content_type},
                                    query={'obfuscated': obfuscated, 'hidden': hidden})

    def report_outcomes(self, body: Body, filename: str = 'outcomes.csv', content_type: typing.Optional[str] = None) -> Learned:
        """What became of messages: a CSV or NDJSON list with addresses, a column 'outcome' and, maybe, 'provider'."""
        return self._transport.json('POST', '/v1/outcomes', body=body,
                                    headers={'Content-Type': content_type or _content_type(filename)})

    def create_watch(self, batch_id: str, every: str, label: typing.Optional[str] = None,
                     webhook: typing.Optional[str] = None) -> Watch:
        """Has the list of a batch checked again, every '12h' or '7d'."""
        return self._transport.json('POST', '/v1/watches', _given(batch=batch_id, every=every, label=label, webhook=webhook))

    def watches(self, limit: typing.Optional[int] = None, before: typing.Optional[str] = None) -> Watches:
        """One page, newest first; pass its `next` as before for the one after it."""
        return self._transport.json('GET', '/v1/watches', query={'limit': limit, 'before': before})

    def watch(self, watch_id: str) -> Watch:
        return self._transport.json('GET', _path('watches', watch_id))

    def run_watch(self, watch_id: str) -> Watch:
        """Checks it now."""
        return self._transport.json('POST', _path('watches', watch_id, 'run'))

    def pause_watch(self, watch_id: str) -> Watch:
        return self._transport.json('POST', _path('watches', watch_id, 'pause'))

    def resume_watch(self, watch_id: str) -> Watch:
        return self._transport.json('POST', _path('watches', watch_id, 'resume'))

    def delete_watch(self, watch_id: str) -> None:
        self._transport.json('DELETE', _path('watches', watch_id))

    def watch_changes(self, watch_id: str, limit: typing.Optional[int] = None,
                      before: typing.Optional[str] = None) -> WatchChanges:
        """Which answers became others, newest first; pages as those of watches."""
        return self._transport.json('GET', _path('watches', watch_id, 'changes'), query={'limit': limit, 'before': before})

    def webhooks(self, batch_id: typing.Optional[str] = None, limit: typing.Optional[int] = None,
                 before: typing.Optional[str] = None) -> Webhooks:
        """A page of the log of webhooks, newest first; pass its `next` as before for the one after it."""
        return self._transport.json('GET', '/v1/webhooks', query={'batch': batch_id, 'limit': limit, 'before': before})

    def webhook_secret(self, url: str, secret: typing.Optional[str] = None) -> str:
        """The secret that verify_webhook wants for what is sent to the URL; one that is given replaces it."""
        return self._transport.json('POST', '/v1/webhooks/secret', _given(url=url, secret=secret))['secret']

    def replay_webhook(self, event_id: str) -> None:
        """Sends an event once more, with its id."""
        self._transport.json('POST', _path('webhooks', event_id, 'replay'))

    def version(self) -> Version:
        return self._transport.json('GET', '/version')
