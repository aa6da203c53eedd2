#!/usr/bin/env python3
"""tools/completion.py PROGRAM SHELL: what a shell needs to complete the command line of heloise, on standard output.

SHELL is bash, zsh or fish. Commands and options are read from the program's own --help, so they are those it has. The
build runs this and installs what comes out.
SPDX-License-Identifier: Apache-2.0
"""
import re
import subprocess
import sys

OPTION = re.compile(r'^ {2,6}(?:-(?P<short>\S), )?(?:    )?--(?P<long>[a-z][a-z0-9-]*)(?P<value>\[?=\S+)?(?:\s{2,}(?P<text>.*))?$')
FILE_VALUES = ('FILE', 'DIR', 'PATH')


class Option:
    """One long option: its letter where it has one, what it wants and what it is for."""

    def __init__(self, match):
        self.short, self.long = match['short'], match['long']
        value = match['value'] or ''
        self.wants_value = value.startswith('=')
        self.wants_file = any(word in value for word in FILE_VALUES)
        self.text = (match['text'] or '').strip()


def help_of(program, *words):
    done = subprocess.run([program, *words, '--help'], capture_output=True, text=True, check=True,
                          env={'ARGP_HELP_FMT': 'rmargin=4000,opt-doc-col=40', 'LC_ALL': 'C.UTF-8'})
    return done.stdout


def read_commands(program):
    text = help_of(program).split('Commands:\n', 1)[1].split('\n\n', 1)[0]
    return [(m[1], m[2]) for m in re.finditer(r'^  ([a-z]+) +(.+)$', text, re.M)]


def read_options(program, command):
    return [Option(m) for m in map(OPTION.match, help_of(program, command).splitlines()) if m]


def read_actions(program, command):
    """The words that come first for a command that has several: "jobs pause JOB"."""
    usage = help_of(program, command)
    first = re.findall(r'^(?:Usage:|  or: ) heloise ' + command + r' \[OPTION\.\.\.\] \[?([a-z]+)\b', usage, re.M)
    return list(dict.fromkeys(first))


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def bash(commands):
    lines = ['# bash completion for heloise', '_heloise() {',
             '    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} options= actions= files=',
             '    COMPREPLY=()', '    if [ "$COMP_CWORD" -eq 1 ]; then',
             f'        mapfile -t COMPREPLY < <(compgen -W "{" ".join(n for n, *_ in commands)} --help --version" -- "$cur")',
             '        return', '    fi', '    case $command in']
    for name, _, options, actions in commands:
        words = ' '.join(f'--{o.long}' + ('=' if o.wants_value else '') for o in options)
        files = ' '.join(f'--{o.long}' + (f' -{o.short}' if o.short else '') for o in options if o.wants_file)
        lines.append(f'    {name}) options="{words}" actions="{" ".join(actions)}" files=" {files} " ;;')
    lines += ['    esac', '    case $cur in', '    --*=*) compopt -o filenames 2>/dev/null',
              '        mapfile -t COMPREPLY < <(compgen -f -- "${cur#*=}") ;;',
              '    -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur"); compopt -o nospace 2>/dev/null ;;',
              '    *) compopt -o filenames 2>/dev/null', '        case $files in *" $prev "*) actions= ;; esac',
              '        mapfile -t COMPREPLY < <([ "$COMP_CWORD" -gt 2 ] || compgen -W "$actions" -- "$cur"; compgen -f -- "$cur") ;;',
              '    esac', '}', 'complete -F _heloise heloise']
    return '\n'.join(lines) + '\n'


def zsh(commands):
    def escape(text):
        return re.sub(r"([\[\]:'])", r'\\\1', text).replace("\\'", "'\\''")
    lines = ['#compdef heloise', '_heloise() {', '  local -a commands', '  commands=(']
    lines += [f'    {quote(n + ":" + about.replace(":", " -"))}' for n, about, *_ in commands]
    lines += ['  )', '  if (( CURRENT == 2 )); then', "    _describe 'command' commands", '    return', '  fi',
              '  local command=$words[2]', '  shift words; (( CURRENT-- ))', '  case $command in']
    for name, _, options, actions in commands:
        lines.append(f'    {name}) _arguments \\')
        for o in options:
            value = ':file:_files' if o.wants_file else ':value: ' if o.wants_value else ''
            lines.append(f"      '--{o.long}{'=' if o.wants_value else ''}[{escape(o.text)}]{value}' \\")
        if actions:
            lines.append(f"      '1:action:({' '.join(actions)})' \\")
        lines.append("      '*:argument:_files' ;;")
    lines += ['  esac', '}', '_heloise "$@"']
    return '\n'.join(lines) + '\n'


def fish(commands):
    names = ' '.join(n for n, *_ in commands)
    lines = ['# fish completion for heloise']
    for name, about, options, actions in commands:
        lines.append(f'complete -c heloise -f -n "not __fish_seen_subcommand_from {names}" -a {name} -d {quote(about)}')
        here = f'-n "__fish_seen_subcommand_from {name}"'
        for o in options:
            short = f' -s {o.short}' if o.short and o.short.isalpha() else ''
            value = ' -r -F' if o.wants_file else ' -x' if o.wants_value else ''
            lines.append(f'complete -c heloise {here}{short} -l {o.long}{value} -d {quote(o.text)}')
        if actions:
            lines.append(f'complete -c heloise {here} -a "{" ".join(actions)}"')
    return '\n'.join(lines) + '\n'


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ('bash', 'zsh', 'fish'):
        sys.exit('usage: completion.py PROGRAM bash|zsh|fish')
    program = sys.argv[1]
    commands = [(name, about, read_options(program, name), read_actions(program, name))
                for name, about in read_commands(program)]
    sys.stdout.write({'bash': bash, 'zsh': zsh, 'fish': fish}[sys.argv[2]](commands))


main()
