"""tests/clients/service: the village and `heloise serve` in front of it, for tests of clients.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_S = 120


class Settings:
    """Filled by clients_test.py."""
    heloise = data = base_url = ''
    node_modules = None


def _environment(folder):
    names = ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS')
    return {**{name: os.environ[name] for name in names if name in os.environ}, 'HOME': folder, 'XDG_STATE_HOME': folder,
            'LC_ALL': 'C.UTF-8', 'HELOISE_DATA': Settings.data, 'HELOISE_CONFIG': '/dev/null'}


@contextlib.contextmanager
def _running(argv, pattern, folder):
    """A program, and the first match of pattern in what it prints."""
    with open(pathlib.Path(folder) / f'{argv[1]}.log', 'wb') as log:
        process = subprocess.Popen(argv, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    path = pathlib.Path(log.name)
    try:
        end = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, path.read_text(errors='replace'))):
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f'{argv[1]} does not come up:\n{path.read_text(errors="replace")}')
            time.sleep(0.02)
        yield found
        if process.poll() is not None:
            raise AssertionError(f'{argv[1]} ended with {process.returncode}:\n{path.read_text(errors="replace")}')
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if code != 0:
        raise AssertionError(f'{argv[1]} ended with {code}:\n{path.read_text(errors="replace")}')


def add_key(folder, *options):
    """The secret of a new key."""
    done = subprocess.run([Settings.heloise, 'key', 'add', '--store', f'{folder}/store.db', *options], env=_environment(folder),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    return done.stdout.strip().split()[-1]


@contextlib.contextmanager
def served(*options, keys=None):
    """The address of a service that asks the village. keys: options of `heloise key add` by name; their secrets take their
    place."""
    folder = tempfile.mkdtemp(prefix='heloise-clients-')
    try:
        for name in keys or {}:
            keys[name] = add_key(folder, *keys[name])
        village = [Settings.heloise, 'village', '--port', '0', '--dns-port', '0']
        with _running(village, r'(--resolver \S+ --port \d+ --allow-net \S+)', folder) as found:
            serve = [Settings.heloise, 'serve', *found.group(1).split(), '--helo', 'probe.example.net',
                     '--store', f'{folder}/store.db', '--lists', f'{folder}/lists', '--listen', '127.0.0.1:0', *options]
            with _running(serve, r'http://127\.0\.0\.1:\d+', folder) as address:
                yield address.group(0)
    finally:
        shutil.rmtree(folder, True)


def fetch(target, method='GET', body=None, headers=None):
    """(status, headers, JSON or bytes) of one plain request."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(Settings.base_url + target, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            status, found, text = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        status, found, text = error.code, error.headers, error.read()
    is_json = 'json' in (found.get('Content-Type') or '') and 'ndjson' not in found.get('Content-Type')
    return status, found, json.loads(text) if is_json and text else text
