// app/check: one address. The conversation appears line by line while it happens, then the verdict takes its place
// beside it.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useRef, useState } from './html.js';
import { call, path, query, stream } from './api.js';
import { Button, Card, Icon, StatusBadge, Trouble } from './parts.js';
import { RecordJson, Verdict } from './verdict.js';
import { ago, clock, date, plural } from './format.js';
import { STATUS, statusOf, subSentence } from './words.js';

const IDLE = { phase: 'idle', address: '', stages: [], lines: [], record: null, pending: false, problem: null };
const LINES_MAX = 2000;
const STAGES_MAX = 12;
const HISTORY_MAX = 10;

/** The stages with one more; the same again is no news, and of many the first and the last are kept. */
function staged(stages, stage) {
  if (stages.at(-1)?.text === stage.text) return stages;
  return stages.length < STAGES_MAX ? [...stages, stage] : [...stages.slice(0, STAGES_MAX / 2), ...stages.slice(STAGES_MAX / 2 + 1), stage];
}

/** Runs one check; told(change) gets a function from the old state to the new. */
async function run(address, is_fresh, signal, told) {
  let is_over = false;
  await stream(`/v1/verify/stream${query({ email: address, fresh: is_fresh })}`, (type, data) => {
    if (type === 'stage') told((old) => ({ ...old, stages: staged(old.stages, data) }));
    if (type === 'line') told((old) => ({ ...old, lines: [...old.lines, data].slice(-LINES_MAX) }));
    if (type === 'verdict' || type === 'pending') {
      is_over = true;
      told((old) => ({ ...old, phase: 'done', record: data, pending: type === 'pending' }));
    }
    if (type === 'error') {
      is_over = true;
      told((old) => ({ ...old, phase: 'done', problem: { title: 'The server could not answer', detail: data.text } }));
    }
  }, { signal });
  if (!is_over) told((old) => ({ ...old, phase: 'done', problem: { title: 'The answer broke off', detail: 'The stream ended before there was a verdict.' } }));
}

function useCheck() {
  const [state, setState] = useState(IDLE);
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = (address, is_fresh) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const told = (change) => !stop.signal.aborted && setState(change);
    setState({ ...IDLE, phase: 'running', address });
    run(address, is_fresh, stop.signal, told).catch((problem) => {
      if (problem.name !== 'AbortError') told((old) => ({ ...old, phase: 'done', problem }));
    });
  };
  const cancel = () => {
    running.current?.abort();
    setState((old) => ({ ...old, phase: 'done', problem: { title: 'Stopped', detail: 'The server may finish on its own and keep the answer.' } }));
  };
  return { state, start, cancel };
}

const SPEAKER = { C: 'we', S: 'server', T: 'note' };

/** The conversation; while it runs it follows the last line, unless the reader scrolled up. */
function Conversation({ lines, is_running, is_answered, onAnew }) {
  const box = useRef(null);
  const follows = useRef(true);
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.length]);
  const scrolled = (event) => {
    const { scrollTop, scrollHeight, clientHeight } = event.target;
    follows.current = scrollHeight - scrollTop - clientHeight < 24;
  };
  return html`<div class="talk" ref=${box} onScroll=${scrolled} tabindex="0" role="log" aria-label="Conversation with the mail server" aria-live="off">
    ${lines.map((l) => html`<div class=${`say ${l.direction}`}>
      <span class="t">${clock(l.t_ms)}</span><b title=${SPEAKER[l.direction]}>${l.direction}</b><code>${l.text}</code></div>`)}
    ${is_running && html`<div class="say wait"><span class="t"></span><b></b><span class="caret"></span></div>`}
    ${lines.length === 0 && is_answered && html`<div class="talk-none"><p class="muted">No mail server was talked to: it was answered from
      memory, or by syntax and DNS alone.</p><${Button} icon="repeat" onClick=${onAnew}>Ask anew<//></div>`}</div>`;
}

function Stages({ stages, address }) {
  return html`<div class="stages">
    <h2 class="breaks">${address}</h2>
    <ol>${stages.map((stage, i) => html`<li class=${i === stages.length - 1 ? 'now' : 'past'}>
      ${i === stages.length - 1 ? html`<span class="spinner"></span>` : html`<${Icon} name="check" size="16" />`}
      <span>${stage.text}</span></li>`)}
      ${stages.length === 0 && html`<li class="now"><span class="spinner"></span><span>Starting</span></li>`}</ol></div>`;
}

function History({ address, checked_at }) {
  const [past, setPast] = useState([]);
  useEffect(() => {
    const stop = new AbortController();
    call('GET', path('addresses', address, 'history'), { signal: stop.signal })
      .then((answer) => setPast((answer?.history ?? []).filter((one) => one.kind === 'probe').slice(0, HISTORY_MAX)))
      .catch(() => setPast([]));
    return () => stop.abort();
  }, [address, checked_at]);
  if (past.length === 0) return null;
  return html`<${Card} title="Earlier answers"><ol class="history">${past.map((one) => html`<li>
    <${StatusBadge} status=${statusOf(one.sub_status)} /><span class="grow">${subSentence(one)}</span>
    <time datetime=${one.at} title=${date(one.at)}>${ago(one.at)}</time></li>`)}</ol><//>`;
}

function Intro() {
  const steps = [
    ['globe', 'Find the servers', 'DNS says who takes mail for the domain.'],
    ['server', 'Knock', 'An SMTP conversation as far as RCPT TO. No message is ever sent.'],
    ['shield', 'Cross-check', 'An address that cannot exist is asked as well, so that a yes means something.'],
  ];
  return html`<div class="intro">${steps.map(([icon, title, text]) => html`<div class="step">
    <span class="step-icon"><${Icon} name=${icon} size="20" /></span><h2>${title}</h2><p>${text}</p></div>`)}</div>`;
}

/** What a screen reader is told: the stage while it runs, the verdict once. */
function spokenState(state) {
  if (state.phase === 'running') return state.stages.at(-1)?.text ?? 'Checking';
  if (state.problem) return state.problem.title;
  if (!state.record) return '';
  return `${STATUS[state.record.status]?.text ?? state.record.status}, score ${state.record.score} of 100. ${subSentence(state.record)}`;
}

export function CheckView({ address }) {
  const [text, setText] = useState(address);
  const [is_fresh, setFresh] = useState(false);
  const { state, start, cancel } = useCheck();
  const input = useRef(null);
  useEffect(() => {
    setText(address);
    if (address === '') input.current?.focus({ preventScroll: true });
    else start(address, is_fresh);
  }, [address]);
  const ask = (wanted) => {
    const hash = `#/check/${encodeURIComponent(wanted)}`;
    if (location.hash === hash) start(wanted, is_fresh);
    else location.hash = hash;
  };
  const submit = (event) => {
    event.preventDefault();
    if (text.trim() !== '') ask(text.trim());
  };
  const is_running = state.phase === 'running';
  return html`<div class="check">
    <div class="page-head"><div><h1 tabindex="-1">Check an address</h1>
      <p>Asks the mail server itself, and shows what it says.</p></div></div>
    <form class="ask" onSubmit=${submit} role="search">
      <label class="ask-field"><${Icon} name="at" size="20" /><span class="offscreen">Mail address</span>
        <input ref=${input} type="text" inputmode="email" autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="512"
          placeholder="name@example.com" value=${text} onInput=${(e) => setText(e.target.value)} /></label>
      ${is_running ? html`<${Button} icon="stop" onClick=${cancel}>Stop<//>`
        : html`<button type="submit" class="button primary big"><span>Check</span><${Icon} name="arrow" /></button>`}
    </form>
    <label class="tick"><input type="checkbox" checked=${is_fresh} onChange=${(e) => setFresh(e.target.checked)} />
      <span>Ask anew, even if the answer is known</span></label>
    <p class="offscreen" role="status" aria-live="polite">${spokenState(state)}</p>
    ${state.phase === 'idle' ? html`<${Intro} />` : html`<div class="two">
      <div class="column">
        ${state.problem && html`<${Trouble} problem=${state.problem} retry=${() => start(state.address, is_fresh)} />`}
        ${is_running && html`<${Card} class="verdict"><${Stages} stages=${state.stages} address=${state.address} /><//>`}
        ${state.record && html`<${Verdict} record=${state.record} pending=${state.pending} onAsk=${ask} />
          <${History} address=${state.record.email} checked_at=${state.record.checked_at} />
          <${RecordJson} record=${state.record} />`}
      </div>
      <div class="column"><${Card} class="talk-card" title="Conversation"
        actions=${html`<span class="muted small">${state.lines.length > 0 && plural(state.lines.length, 'line')}</span>`}>
        <${Conversation} lines=${state.lines} is_running=${is_running} is_answered=${state.record !== null}
          onAnew=${() => start(state.address, true)} /><//></div></div>`}</div>`;
}
