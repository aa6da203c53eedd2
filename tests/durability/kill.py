#!/usr/bin/python3
"""tests/durability/kill.py HELOISE DATA [--kills N] [--seed N] [--keep DIR]: a list is verified, and the program
is killed (SIGKILL) at chosen moments and started again until it is through. The output must be that of a run nobody
disturbed, byte for byte but for times (VOLATILE); nothing that was committed may be asked again; the store must
stay sound.

    tests/durability/kill.py build/src/cli/heloise data --kills 200

Moments are drawn from the seed: within the first milliseconds (start, loading), anywhere in the run, when the
output is being written, and when it has just been put in its place.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import contextlib
import csv
import difflib
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / 'cli')]

import town  # noqa: E402

PATIENCE_S = 180
KILLS_A_ROUND = 9
STATE_DONE = 3  # store_job_state
EARLY_S = 0.08
SHOWN_LINES, SHOWN_BYTES = 30, 160
# What may differ. In a CSV: times. In NDJSON also the story of the asking: an address whose first try was lost with
# the process is asked once less or more, and which address of a domain sends the control is chance in any run.
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z')
VOLATILE = ('checked_at', 'expires_at', 'duration_ms', 'smtp.latency_ms', 'smtp.greylist', 'smtp.attempts',
            'smtp.control.tested', 'smtp.control.count')
ANSWERS = re.compile(r'rcpt_|control_answer|greylisted|rate_limited|temporary_failure|disconnected|timeout|'
                     r'not_reached|server_error')  # reasons that repeat an answer: the deciding one, then earlier tries


def addresses(chance, each):
    """Of every domain some that exist and some that do not, equal ones, odd ones, and lines that are none."""
    domains = [*town.houses(), 'nomail.test', 'nowhere.test', 'broken.test']
    found = []
    for domain in domains:
        for i in range(each):
            found.append(f'{"real" if chance.random() < 0.4 else "dead"}{i}@{domain}')
        found += [f'real{i}@{domain.upper()}' for i in range(2)]
    found += [f'{word}@plain.test' for word in ('full', 'closed', 'moved', 'info', 'no address', '', '"quoted one"')]
    found += ['no address', 'two@at@plain.test', 'real1@plan.test', 'jösé@plain.test']
    chance.shuffle(found)
    return found


def write_csv(path, rows, chance):
    with open(path, 'w', newline='', encoding='utf-8') as out:
        table = csv.writer(out, delimiter=';')
        table.writerow(['number', 'E-Mail', 'note'])
        for number, address in enumerate(rows):
            table.writerow([number, address, chance.choice(['', 'plain', 'two\nlines', '=SUM(A1)', 'say "hi"'])])


def write_text(path, rows):
    path.write_text(''.join(row + '\n' for row in rows if row), encoding='utf-8')


def write_ndjson(path, rows):
    path.write_text(''.join(json.dumps({'n': n, 'email': row}) + '\n' for n, row in enumerate(rows)), encoding='utf-8')


class Job:
    """A list, how it is verified, and what an undisturbed run makes of it."""

    def __init__(self, name, source, output, words=()):
        self.name, self.source, self.output, self.words = name, source, output, words
        self.expected = self.summary = None
        self.seconds = 0.0


def make_jobs(folder, seed):
    chance = random.Random(seed)
    write_csv(folder / 'list.csv', addresses(chance, 12), chance)
    write_text(folder / 'list.txt', addresses(chance, 6))
    write_ndjson(folder / 'list.ndjson', addresses(chance, 8))
    large = [f'{"real" if i % 3 else "dead"}{i}@{domain}' for i in range(150)
             for domain in ('plain.test', 'catchall.test')] + addresses(chance, 2) * 40
    chance.shuffle(large)
    write_csv(folder / 'large.csv', large, chance)
    return [Job('csv', folder / 'list.csv', 'out.csv'), Job('text', folder / 'list.txt', 'out.csv'),
            Job('ndjson', folder / 'list.ndjson', 'out.ndjson'), Job('large', folder / 'large.csv', 'out.csv'),
            Job('names', folder / 'large.csv', 'out.csv', ('--no-smtp',))]


class Failure(Exception):
    pass


def without(record, path):
    key, _, rest = path.partition('.')
    if rest and isinstance(record.get(key), dict):
        without(record[key], rest)
    elif not rest:
        record.pop(key, None)


def without_earlier_tries(reasons):
    answers = [reason for reason in reasons if reason['effect'] == 0 and ANSWERS.match(reason['code'])]
    return [reason for reason in reasons if not any(reason is other for other in answers[1:])]


def without_times(text, is_ndjson):
    if not is_ndjson:
        return TIME.sub('TIME', text)
    lines = []
    for line in text.splitlines():
        row = json.loads(line)
        for path in VOLATILE:
            without(row['heloise'], path)
        row['heloise']['reasons'] = without_earlier_tries(row['heloise']['reasons'])
        lines.append(json.dumps(row))
    return '\n'.join(lines)


def differences(expected, seen):
    """Lines that differ; of long ones the parts around it."""
    lines = []
    for line in difflib.unified_diff(expected.splitlines(), seen.splitlines(), n=0, lineterm=''):
        if lines and lines[-1].startswith('-') and line.startswith('+'):
            first = next((i for i, (a, b) in enumerate(zip(lines[-1][1:], line[1:])) if a != b), 0)
            lines[-1] = lines[-1][:SHOWN_BYTES] + ' ... ' + lines[-1][max(first - SHOWN_BYTES // 2, 0):][:SHOWN_BYTES]
            line = line[:SHOWN_BYTES] + ' ... ' + line[max(first - SHOWN_BYTES // 2, 0):][:SHOWN_BYTES]
        lines.append(line)
    return '\n'.join(lines[2:SHOWN_LINES])


class Rig:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.town = town.Town()
        self.chance = random.Random(args.seed)
        self.kills = 0
        self.at = {}

    def start(self, place, job):
        argv = [self.args.heloise, 'bulk', *self.town.options, '--store', 'h.db', '--invalids-per-hour', '100000',
                '--max-per-site', '2', *job.words, job.source, '-o', job.output]
        env = {**os.environ, 'HELOISE_DATA': str(self.args.data), 'HOME': str(place), 'LC_ALL': 'C.UTF-8',
               'HELOISE_CONFIG': '/dev/null'}
        with open(place / 'log', 'wb') as log:
            return subprocess.Popen([str(word) for word in argv], cwd=place, env=env, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def fresh(self, name):
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        self.town.reset()
        return place

    def undisturbed(self, job):
        place = self.fresh(f'{job.name}-undisturbed')
        began = time.monotonic()
        code = self.start(place, job).wait(PATIENCE_S)
        job.seconds = time.monotonic() - began
        if code != 0:
            raise Failure(f'{job.name}: undisturbed: exit {code}\n{(place / "log").read_text()}')
        job.expected = without_times((place / job.output).read_text(), job.output.endswith('json'))
        job.summary = self.summary(place)

    @staticmethod
    def summary(place):
        """Rows and statuses; how many were asked before and how long it took may differ."""
        return re.findall(r'(?m)^(\d+ rows, \d+ addresses)|^  ([a-z ]+\d+)', (place / 'log').read_text())

    def moment(self, job):
        """When to kill: (kind, file, seconds) after the start, or after the file has its first bytes."""
        kind = self.chance.choice(['early', 'middle', 'middle', 'middle', 'writing', 'written'])
        if kind == 'early':
            return kind, None, self.chance.random() * EARLY_S
        if kind == 'middle':
            return kind, None, self.chance.random() * job.seconds
        if kind == 'writing':
            return kind, job.output + '.part', self.chance.random() * 0.01
        return kind, job.output, self.chance.random() * 0.003

    @staticmethod
    def await_moment(process, path, seconds):
        """False: the process ended first."""
        def is_written():
            with contextlib.suppress(OSError):
                return path.stat().st_size > 0
            return False
        while path is not None and not is_written():
            if process.poll() is not None:
                return False
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                return False
            time.sleep(min(0.001, max(0.0, end - time.monotonic())))
        return process.poll() is None

    def look(self, place):
        """(addresses with a result in the store, whether the job is done). Looks at a copy: opening it would mend
        it."""
        copy = self.folder / 'copy'
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        if not (place / 'h.db').exists():
            return set(), False
        for name in ('h.db', 'h.db-wal'):
            if (place / name).exists():
                shutil.copy(place / name, copy / name)
        with contextlib.closing(sqlite3.connect(copy / 'h.db')) as db:
            if db.execute('PRAGMA integrity_check').fetchone() != ('ok',):
                raise Failure('the store is damaged')
            if not db.execute("SELECT 1 FROM pragma_table_info('job') WHERE name='state'").fetchone():
                return set(), False
            is_done = db.execute('SELECT 1 FROM job WHERE state=?', (STATE_DONE,)).fetchone() is not None
            return {row[0] for row in db.execute(
                'SELECT address FROM job_item JOIN job_turn ON item=job_item.id '
                'JOIN job_result ON job_result.id=job_turn.result')}, is_done

    def round(self, job, kills):
        """One job from its beginning, killed at most so many times."""
        place = self.fresh(f'{job.name}-killed')
        history, code = [], None
        while code is None:
            kind, file, seconds = self.moment(job)
            if file is not None:
                (place / file).unlink(missing_ok=True)  # so that the moment can be told
            process = self.start(place, job)
            if len(history) == kills or not self.await_moment(process, file and place / file, seconds):
                code = process.wait(PATIENCE_S)
                break
            process.kill()
            process.wait()
            final, is_done = self.look(place)
            history.append((f'{kind} {seconds:.4f} s, {len(final)} done', final, self.town.asked()))
            self.kills += 1
            self.at[kind] = self.at.get(kind, 0) + 1
            if is_done:  # killed in its last moment: the output is there and the job is over
                self.check_output(job, place, history)
                return
        self.check(job, place, code, history)

    def check(self, job, place, code, history):
        told = self.told(job, history)
        if code != 0:
            raise Failure(f'{told}\nexit {code}\n{(place / "log").read_text()}')
        self.check_output(job, place, history)
        if self.summary(place) != job.summary:
            raise Failure(f'{told}\n{job.summary}\n{self.summary(place)}')
        left = sorted(path.name for path in place.iterdir() if path.name not in (job.output, 'h.db', 'log') and
                      '.holder-' not in path.name)  # a dead holder's goes when the next claims something
        if left:
            raise Failure(f'{told}\nleft behind: {left}')

    @staticmethod
    def told(job, history):
        return f'{job.name}: killed at ' + '; '.join(what for what, _, _ in history)

    def check_output(self, job, place, history):
        told = self.told(job, history)
        seen = without_times((place / job.output).read_text(), job.output.endswith('json'))
        if seen != job.expected:
            raise Failure(f'{told}\n' + differences(job.expected, seen))
        asked = self.town.asked()
        for what, final, before in history:
            again = sorted(address for address in final if asked.count(address) > before.count(address))
            if again:
                raise Failure(f'{told}\nasked again after {what}: {again}')

    def run(self):
        jobs = make_jobs(self.folder, self.args.seed)
        for job in jobs:
            self.undisturbed(job)
            print(f'{job.name}: {len(job.expected.splitlines())} lines in {job.seconds:.1f} s undisturbed', flush=True)
        for job in jobs:
            self.undisturbed_again(job)
        while self.kills < self.args.kills:
            job = self.chance.choice(jobs)
            before = self.kills
            self.round(job, min(self.chance.randint(1, KILLS_A_ROUND), self.args.kills - self.kills))
            print(f'{self.kills:4} kills: {job.name} killed {self.kills - before} times, equal', flush=True)
        print(f'ok {self.kills} kills (' + ', '.join(f'{n} {kind}' for kind, n in sorted(self.at.items())) +
              f'), seed {self.args.seed}')

    def undisturbed_again(self, job):
        expected = job.expected
        self.undisturbed(job)
        if job.expected != expected:
            raise Failure(f'{job.name}: two undisturbed runs differ\n' + differences(expected, job.expected))


def main():
    parser = argparse.ArgumentParser(description='Kills bulk runs and compares what they write.')
    parser.add_argument('heloise', type=pathlib.Path)
    parser.add_argument('data', type=pathlib.Path)
    parser.add_argument('--kills', type=int, default=12)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--keep', type=pathlib.Path, help='work here and leave everything')
    args = parser.parse_args()
    args.heloise, args.data = args.heloise.resolve(), args.data.resolve()
    folder = args.keep or pathlib.Path(tempfile.mkdtemp(prefix='heloise-kill-'))
    folder.mkdir(exist_ok=True)
    try:
        Rig(args, folder).run()
    except Failure as failure:
        print(f'not ok, seed {args.seed}: {failure}')
        return 1
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
