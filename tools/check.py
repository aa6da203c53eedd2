"""tools/check.py: the steps of ./check, their logs and the count at the end.

Each step prints one line with its time; the log of a failed one follows. A step is a function that
gives the number of cases that passed, failed and were skipped.
SPDX-License-Identifier: Apache-2.0
"""
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('CHECK_BUILD', ROOT / 'build-check'))
LOGS = BUILD / 'log'
FUZZ_SECONDS = int(os.environ.get('CHECK_FUZZ_SECONDS', '10'))
KILLS = int(os.environ.get('CHECK_KILLS', '12'))
LANES = os.cpu_count() or 2
SHOWN_LINES = 80
SANITIZER_ENV = {
    'ASAN_OPTIONS': 'detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:exitcode=99',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1:exitcode=99',
    'TSAN_OPTIONS': f'halt_on_error=1:second_deadlock_stack=1:exitcode=99:suppressions={ROOT}/tests/tsan.supp',
}


class Outcome:
    """How many cases passed, failed, were skipped, and what to show."""

    def __init__(self, passed=0, failed=0, skipped=0, note=''):
        self.passed, self.failed, self.skipped, self.note = passed, failed, skipped, note

    def __add__(self, other):
        return Outcome(self.passed + other.passed, self.failed + other.failed,
                       self.skipped + other.skipped, self.note or other.note)


def run(log, argv, seconds=600, **environment):
    """True when argv ends with 0 within its time; all it prints goes to the log file."""
    with open(log, 'ab') as out:
        out.write(f'$ {" ".join(map(str, argv))}\n'.encode())
        out.flush()
        child = subprocess.Popen([str(a) for a in argv], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=out, env={**os.environ, **environment}, start_new_session=True)
        try:
            return child.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            out.write(f'\nstopped after {seconds} s\n'.encode())
            return False


def one(ok):
    return Outcome(passed=1) if ok else Outcome(failed=1)


def tool(*argv):
    return lambda log: one(run(log, argv))


# --- builds ---------------------------------------------------------------------------------------

BUILDS = {  # name: (compiler, linker, arguments of meson setup)
    'gcc': ('gcc', 'bfd', ['--buildtype=release', '--prefix=/usr']),
    # One build for tests, fuzz targets and interop: what coverage costs is less than to compile twice.
    'clang': ('clang', 'lld', ['--optimization=1', '--debug', '-Db_sanitize=address,undefined', '-Dfuzz=true']),
    'tsan': ('clang', 'lld', ['--optimization=1', '--debug', '-Db_sanitize=thread']),
}


def configure(log, name):
    compiler, linker, arguments = BUILDS[name]
    folder = BUILD / name
    if (folder / 'build.ninja').exists():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    part = LOGS / f'setup-{name}.log'
    good = run(part, ['meson', 'setup', folder, ROOT, '-Db_lundef=false', *arguments], CC=compiler, CC_LD=linker)
    if not good:
        with open(log, 'ab') as out:
            out.write(part.read_bytes())
    return good


def build(name, *targets):
    def step(log):
        return one(configure(log, name) and run(log, ['ninja', '-C', BUILD / name, *targets], 1800))
    return step


def introspect(name, what):
    done = subprocess.run(['meson', 'introspect', str(BUILD / name), what], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else []


def tests_of(name, *modules):
    """The meson tests of a build, or of some modules of it, or some tests."""
    return [t for t in introspect(name, '--tests')
            if not modules or t['name'] in modules or t['name'].split('/')[0] in modules]


def programs_of(name, tests):
    """The programs that these tests run or are given."""
    built = {file for t in introspect(name, '--targets') if t['type'] == 'executable' for file in t['filename']}
    words = {str(BUILD / name / word) for t in tests for word in t['cmd']}
    return sorted(os.path.relpath(file, BUILD / name) for file in words & built)


def read_results(path):
    """cmocka prints a line for each case, and those that failed or were skipped once more at the end.

    A program without such lines counts as one case.
    """
    outcome = Outcome()
    for line in path.read_text().splitlines() if path.exists() else []:
        record = json.loads(line)
        text = (record.get('stdout') or '') + (record.get('stderr') or '')
        passed = len(re.findall(r'^\[       OK \]', text, re.M))
        skipped = len(re.findall(r'^\[  SKIPPED \] \w+$', text, re.M)) // 2
        failed = len(re.findall(r'^\[  FAILED  \] \w+$', text, re.M)) // 2
        is_good = record['result'] in ('OK', 'EXPECTEDFAIL')
        if record['result'] == 'SKIP':
            outcome += Outcome(skipped=1)
        elif is_good:
            outcome += Outcome(passed=max(passed, 1), skipped=skipped)
        else:
            outcome += Outcome(passed=passed, failed=max(failed, 1), skipped=skipped)
    return outcome


def test(name, *modules):
    def step(log):
        if not (configure(log, name)):
            return Outcome(failed=1)
        tests = tests_of(name, *modules)
        if not tests:
            return Outcome(skipped=1, note='no tests')
        if not run(log, ['ninja', '-C', BUILD / name, *programs_of(name, tests)], 1800):
            return Outcome(failed=1)
        results = BUILD / name / 'meson-logs/testlog.json'
        results.unlink(missing_ok=True)
        run(log, ['meson', 'test', '-C', BUILD / name, '--no-rebuild', '--timeout-multiplier', '10', '--num-processes', str(4 * LANES), '--print-errorlogs',
                  *[t['name'] for t in tests]], 1500, **SANITIZER_ENV)
        outcome = read_results(results)
        return outcome if outcome.passed + outcome.failed else Outcome(failed=1)
    return step


# --- what looks at the code -----------------------------------------------------------------------

class Tidy:
    """clang-tidy of every file, which wants nothing but a processor: it has what the other steps leave idle from the start
    on, and all of it when its turn comes."""

    def __init__(self):
        self.files = queue.SimpleQueue()
        self.outcomes = queue.SimpleQueue()
        self.threads = []
        self.is_good = True

    def begin(self):
        self.is_good = configure(LOGS / 'tidy.log', 'clang')
        if not self.is_good:
            return
        commands = json.loads((BUILD / 'clang/compile_commands.json').read_text())
        known = {str((BUILD / 'clang' / e['directory'] / e['file']).resolve()) for e in commands}
        for path in sorted((ROOT / 'src').glob('*/*.c')):
            if str(path) in known:
                self.files.put(str(path))
        self.work_on(['chrt', '--idle', '0'])

    def work_on(self, prefix):
        def work():
            while True:
                try:
                    path = self.files.get_nowait()
                except queue.Empty:
                    return
                part = LOGS / ('tidy-' + path.replace('/', '_') + '.part')
                part.unlink(missing_ok=True)
                good = run(part, [*prefix, 'clang-tidy', '-quiet', '-p', BUILD / 'clang', path], 1200)
                self.outcomes.put((good, part))
        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()

    def __call__(self, log):
        if not self.is_good:
            return Outcome(failed=1)
        for _ in range(LANES):
            self.work_on([])
        for thread in self.threads:
            thread.join()
        outcome = Outcome()
        while not self.outcomes.empty():
            good, part = self.outcomes.get()
            outcome += one(good)
            if not good:
                with open(log, 'ab') as out:
                    out.write(part.read_bytes())
            part.unlink()
        return outcome if outcome.passed + outcome.failed else Outcome(failed=1, note='no sources')


def install(log):
    """meson install into an empty folder; then the installed program must run from there."""
    root = BUILD / 'root'
    shutil.rmtree(root, ignore_errors=True)
    if not run(log, ['meson', 'install', '-C', BUILD / 'gcc', '--no-rebuild', '--destdir', root]):
        return Outcome(failed=1)
    outcome = Outcome()
    for what in ('usr/bin/heloise', 'usr/share/man/man1/heloise.1', 'usr/share/man/man1/heloise-verify.1',
                 'usr/share/man/man1/heloise-bulk.1', 'usr/share/man/man1/heloise-jobs.1',
                 'usr/share/man/man5/heloise.conf.5',
                 'usr/share/doc/heloise/examples/heloise.conf', 'usr/share/heloise/*', 'usr/share/heloise/web/index.html', 'usr/include/heloise/address.h',
                 'usr/lib*/**/libheloise.*'):
        found = any(root.glob(what))
        outcome += one(found)
        with open(log, 'a', encoding='utf-8') as out:
            out.write(f'{what}: {"there" if found else "MISSING"}\n')
    program = root / 'usr/bin/heloise'
    data = {'HELOISE_DATA': str(root / 'usr/share/heloise')}
    return outcome + one(run(log, [program, '--version'], **data)) + one(run(log, [program, '--help'], **data))


def demo(log):
    """What ./run does without arguments, with the program that is already built."""
    return one(run(log, ['./run'], 120, HELOISE_BUILD=str(BUILD / 'gcc')))


def kills(log):
    """A few runs killed at any moment; tests/durability/kill.py says how to have many."""
    good = run(log, ['tests/durability/kill.py', BUILD / 'gcc/src/cli/heloise', 'data', '--kills', KILLS], 900)
    equal = re.findall(r'^ok (\d+) kills', log.read_text(errors='replace'), re.M)
    return Outcome(passed=int(equal[-1])) if good and equal else Outcome(failed=1)


def man(log):
    outcome = Outcome()
    for page in sorted((ROOT / 'man').glob('*.[1-9]')):
        outcome += one(run(log, ['mandoc', '-T', 'lint', '-W', 'warning', page]))
    return outcome


# --- fuzzing --------------------------------------------------------------------------------------

def fuzz_targets():
    lines = (ROOT / 'fuzz/targets.txt').read_text().splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith('#')]


def fuzz_one(name):
    log = LOGS / f'fuzz-{name}.log'
    log.unlink(missing_ok=True)
    found = BUILD / 'corpus' / name
    crashes = BUILD / 'crash' / name
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / 'fuzz/corpus' / name
    argv = [BUILD / 'clang/fuzz' / f'fuzz_{name}', f'-max_total_time={FUZZ_SECONDS}', '-timeout=10',
            '-rss_limit_mb=2048', '-print_final_stats=1', f'-artifact_prefix={crashes}/', found]
    good = run(log, argv + ([seeds] if seeds.is_dir() else []), FUZZ_SECONDS + 120, **SANITIZER_ENV)
    return name, good, log


def fuzz(log):
    if not configure(log, 'clang') or not run(log, ['ninja', '-C', BUILD / 'clang', 'fuzz-targets'], 1800):
        return Outcome(failed=1)
    outcome = Outcome()
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        for name, good, part in pool.map(fuzz_one, fuzz_targets()):
            outcome += one(good)
            units = re.search(r'number_of_executed_units: *(\d+)', part.read_text(errors='replace'))
            with open(log, 'a', encoding='utf-8') as out:
                out.write(f'{name}: {"clean" if good else "FAILED, see " + str(part)}'
                          f'{", " + units.group(1) + " inputs" if units else ""}\n')
                if not good:
                    out.write(part.read_text(errors='replace')[-6000:])
    return outcome


# --- real servers ---------------------------------------------------------------------------------

def named_lines(log, good):
    """The outcome of a program that says "ok", "not ok" or "skip" for each of its cases."""
    text = log.read_text(errors='replace')
    outcome = Outcome(passed=len(re.findall(r'^ok ', text, re.M)), failed=len(re.findall(r'^not ok ', text, re.M)),
                      skipped=len(re.findall(r'^skip ', text, re.M)))
    if not good and not outcome.failed:
        outcome += Outcome(failed=1)
    return outcome


def interop(log):
    program = BUILD / 'clang/src/cli/heloise'  # with sanitizers: real servers find what tests do not
    good = all([run(log, [f'tests/interop/{suite}', '--install', '--heloise', program, '--work', BUILD / 'interop'],
                    1200, **SANITIZER_ENV) for suite in ('run.py', 'clients.py')])
    return named_lines(log, good)


class Package:
    """The Debian packages, built and installed in a clean root: from the start on beside the other steps, most of which
    wait for the network's time, or have one lane only. Its turn comes when it is waited for."""

    def __init__(self):
        self.thread = None
        self.is_good = False

    def work(self, log):
        as_root = [] if os.geteuid() == 0 else ['sudo']
        self.is_good = run(log, [*as_root, 'nice', '-n', '10', 'tests/packaging/package_test.py', '--work', BUILD / 'package'],
                           2400)

    def begin(self):
        log = LOGS / 'package.part'
        log.unlink(missing_ok=True)
        # Now, when nobody else installs anything.
        if run(log, ['tools/install', 'package']):
            self.thread = threading.Thread(target=self.work, args=(log,), daemon=True)
            self.thread.start()

    def __call__(self, log):
        if self.thread:
            self.thread.join()
        (LOGS / 'package.part').rename(log)
        return named_lines(log, self.is_good)


def web(log):
    """The page: its helpers and files by node alone, then what a person does with it, in a browser."""
    units = sorted((ROOT / 'tests/web').glob('*.test.mjs'))
    good = run(log, ['node', '--test', '--test-reporter=tap', *units]) and run(
        log, ['tests/web/run.mjs', '--heloise', BUILD / 'gcc/src/cli/heloise', '--work', BUILD / 'web'], 900)
    return named_lines(log, good)


TIDY = Tidy()
PACKAGE = Package()
STEPS = [
    ('format', tool('tools/format')),
    ('layers', tool('tools/layers')),
    ('long', tool('tools/long')),
    ('words', tool('tools/words')),
    ('headers', tool('tools/headers')),
    ('rfcs', tool('tools/rfcs', '--check')),
    ('packages', tool('tools/packages')),
    ('man', man),
    ('gcc-build', build('gcc')),
    ('gcc-tests', test('gcc')),
    ('purity', tool('tools/purity', BUILD / 'gcc')),
    ('install', install),
    ('demo', demo),
    ('kills', kills),
    ('web', web),
    ('clang-build', build('clang')),
    ('clang-tests', test('clang')),
    # Those whose programs have threads that share something; the rest would find nothing new.
    ('tsan-tests', test('tsan', 'net', 'engine', 'store', 'http/serve', 'http/hooks', 'http/once', 'http/batches',
                        'http/wire', 'cli/bulk', 'cli/policy', 'cli/resume')),
    ('fuzz', fuzz),
    ('interop', interop),
    ('package', PACKAGE),
    ('tidy', TIDY),
]
QUICK = ['format', 'layers', 'long', 'words', 'headers', 'rfcs', 'packages', 'gcc-build', 'gcc-tests', 'purity']


def show_log(log):
    lines = log.read_text(errors='replace').splitlines() if log.exists() else []
    if len(lines) > SHOWN_LINES:
        print(f'    ({len(lines) - SHOWN_LINES} lines left out; all of it: {log})')
    for line in lines[-SHOWN_LINES:]:
        print('    ' + line)


def run_step(name, step):
    log = LOGS / f'{name}.log'
    log.unlink(missing_ok=True)
    started = time.monotonic()
    try:
        outcome = step(log)
    except Exception as trouble:  # a step that cannot even start is a failure of that step
        outcome = Outcome(failed=1)
        with open(log, 'a', encoding='utf-8') as out:
            out.write(f'{type(trouble).__name__}: {trouble}\n')
    word = 'FAILED' if outcome.failed else 'ok' if outcome.passed else 'skipped'
    counts = f'{outcome.passed} passed'
    counts += f', {outcome.failed} failed' if outcome.failed else ''
    counts += f', {outcome.skipped} skipped' if outcome.skipped else ''
    print(f'{word:8}{name:14}{time.monotonic() - started:7.1f} s   {counts}  {outcome.note}'.rstrip(), flush=True)
    if outcome.failed:
        show_log(log)
    return outcome


def chosen(arguments):
    if arguments == ['quick']:
        return [(n, s) for n, s in STEPS if n in QUICK]
    unknown = set(arguments) - {n for n, _ in STEPS}
    if arguments == ['list'] or unknown:
        print('\n'.join(n for n, _ in STEPS))
        sys.exit(64 if unknown - {'list'} else 0)
    return [(n, s) for n, s in STEPS if not arguments or n in arguments]


def main():
    steps = chosen(sys.argv[1:])
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    total = Outcome()
    for name, step in steps:
        if step in (PACKAGE, TIDY):
            step.begin()
    for name, step in steps:
        total += run_step(name, step)
    print(f'{time.monotonic() - started:.0f} s in all')
    print(f'{total.passed} passed, {total.failed} failed, {total.skipped} skipped', flush=True)
    return 1 if total.failed or not total.passed else 0


sys.exit(main())
