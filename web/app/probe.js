// app/probe: the test of a mail server: its conversation as it happens, then what is wrong there, its TLS and all it
// offers. What a password was is kept in the form alone.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useRef, useState } from './html.js';
import { stream } from './api.js';
import { Button, Card, Facts, Icon, PageHead, StateBadge, Trouble } from './parts.js';
import { ago, clock, date, millis, plural, spoken } from './format.js';
import { RecordJson } from './verdict.js';

const IDLE = { phase: 'idle', target: '', stage: '', lines: [], result: null, problem: null };
const LINES_MAX = 2000;
const LEVELS = {
  mend: { text: 'To mend', tone: 'undeliverable' },
  unknown: { text: 'Not known', tone: 'unknown' },
  advice: { text: 'Advice', tone: 'risky' },
  ok: { text: 'Right', tone: 'deliverable' },
};
const WORST_FIRST = Object.keys(LEVELS);
const levelOf = (name) => LEVELS[name] ?? LEVELS.unknown;
const PORTS = [['', 'As the target says'], ...['25', '465', '587', '2525'].map((port) => [port, port])];
const TLS_MODES = [['', 'Where it is offered'], ['must', 'STARTTLS must be'], ['at_once', 'From the first byte'], ['never', 'Never']];
const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'];
const SPEAKER = { C: 'we', S: 'server', T: 'note' };
const USUAL = { port: '', tls: '', all_hosts: false, examine: true, ports: false, from: '', to: '', user: '', password: '',
  mechanism: '', test_logins: false, send: false, relay_domain: '', relay_to: '' };
const DANE = {
  none: 'no TLSA records', unusable: 'records that no sender of mail looks at', match: 'a record fits the certificate',
  mismatch: 'no record fits the certificate', not_secure: 'does not apply: DNSSEC does not prove the way to this host',
  unknown: 'could not be looked at',
};
const INJECTION = {
  dropped: 'thrown away, as it must be', refused: 'ends the session', answered_in_clear: 'answered before the handshake',
  vulnerable: 'obeyed inside TLS', unknown: 'could not be tried',
};

/** The body of the request: what was left as it is usually is not named. */
function bodyOf(target, options) {
  const words = (text) => text.split(/[\s,;]+/).filter(Boolean);
  const named = Object.entries({ ...options, port: Number(options.port) || undefined, to: words(options.to) })
    .filter(([name, value]) => name !== 'examine' && value && value.length !== 0);
  return { target, examine: options.examine, ...Object.fromEntries(named) };
}

async function run(body, signal, told) {
  let is_over = false;
  const end = (change) => {
    is_over = true;
    told((old) => ({ ...old, phase: 'done', ...change }));
  };
  await stream('/v1/probe', (type, data) => {
    if (type === 'stage') told((old) => ({ ...old, stage: data.text }));
    if (type === 'line') told((old) => ({ ...old, lines: [...old.lines, data].slice(-LINES_MAX) }));
    if (type === 'result') end({ result: data });
    if (type === 'error') end({ problem: { title: 'The server could not answer', detail: data.text } });
  }, { method: 'POST', body, signal });
  if (!is_over) end({ problem: { title: 'The answer broke off', detail: 'The stream ended before there was a result.' } });
}

function useTest() {
  const [state, setState] = useState(IDLE);
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = (target, options) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const told = (change) => !stop.signal.aborted && setState(change);
    setState({ ...IDLE, phase: 'running', target });
    run(bodyOf(target, options), stop.signal, told).catch((problem) => {
      if (problem.name !== 'AbortError') told((old) => ({ ...old, phase: 'done', problem }));
    });
  };
  const cancel = () => {
    running.current?.abort();
    setState((old) => ({ ...old, phase: 'done', problem: { title: 'Stopped', detail: 'The test was broken off.' } }));
  };
  return { state, start, cancel };
}

/* ---- the form ---- */

function Field({ name, label, options, set, ...rest }) {
  return html`<label class="field"><span>${label}</span>
    <input value=${options[name]} autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="400"
      onInput=${(e) => set(name, e.target.value)} ...${rest} /></label>`;
}

function Choice({ name, label, options, set, values }) {
  return html`<label class="field"><span>${label}</span><select value=${options[name]} onChange=${(e) => set(name, e.target.value)}>
    ${values.map(([value, text]) => html`<option value=${value} selected=${value === options[name]}>${text}</option>`)}</select></label>`;
}

function Tick({ name, label, options, set }) {
  return html`<label class="tick"><input type="checkbox" checked=${options[name]} onChange=${(e) => set(name, e.target.checked)} />
    <span>${label}</span></label>`;
}

function Options({ options, set }) {
  const all = { options, set };
  return html`<details class="card json"><summary>Options</summary><div class="below options">
    <div class="fields">
      <${Choice} ...${all} name="port" label="Port" values=${PORTS} />
      <${Choice} ...${all} name="tls" label="TLS" values=${TLS_MODES} /></div>
    <${Tick} ...${all} name="examine" label="Look at TLS in depth: versions, injection, DANE, MTA-STS" />
    <${Tick} ...${all} name="all_hosts" label="All mail servers of a domain" />
    <${Tick} ...${all} name="ports" label="Compare ports 25, 465, 587 and 2525" />
    <div class="fields"><${Field} ...${all} name="from" label="Sender" placeholder="as configured" />
      <${Field} ...${all} name="to" label="Recipients, asked with RCPT" placeholder="jane@example.com" /></div>
    <div class="fields"><${Field} ...${all} name="user" label="User" />
      <${Field} ...${all} name="password" label="Password" type="password" />
      <${Choice} ...${all} name="mechanism" label="Login with" values=${[['', 'The strongest offered'], ...MECHANISMS.map((m) => [m, m])]} /></div>
    <${Tick} ...${all} name="test_logins" label="Try each login that is offered" />
    <${Tick} ...${all} name="send" label="Send a message to the recipients (where the operator allows it)" />
    <div class="fields"><${Field} ...${all} name="relay_domain" label="Test relaying: a domain of the server" />
      <${Field} ...${all} name="relay_to" label="A stranger’s address" placeholder="relay-test@example.net" /></div>
    <p class="muted small">A password goes over lines with TLS only, and is neither kept nor logged. Messages and the test for relaying
      need a setting of this server’s operator.</p></div></details>`;
}

/* ---- the conversation ---- */

function Conversation({ lines, is_running }) {
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
    ${lines.map((l) => html`<div class=${`say ${l.direction in SPEAKER ? l.direction : 'T'}`}><span class="t">${clock(l.t_ms)}</span>
      <b title=${`${SPEAKER[l.direction] ?? 'note'}${l.tls ? ', inside TLS' : ''}`}>${l.direction}${l.tls ? '*' : ''}</b>
      <code>${l.text}${l.meaning && html`<span class="muted block">${l.meaning}</span>`}</code></div>`)}
    ${is_running && html`<div class="say wait"><span class="t"></span><b></b><span class="caret"></span></div>`}
    ${lines.length === 0 && !is_running && html`<div class="talk-none"><p class="muted">No mail server was talked to.</p></div>`}</div>`;
}

/* ---- what was found ---- */

function Findings({ findings }) {
  const sorted = [...findings].sort((a, b) => WORST_FIRST.indexOf(a.level) - WORST_FIRST.indexOf(b.level));
  return html`<ul class="findings">${sorted.map((finding) => html`<li><${StateBadge} state=${levelOf(finding.level)} />
    <strong class="breaks">${finding.text}</strong>${finding.hint && html`<p class="small muted breaks">${finding.hint}</p>`}</li>`)}</ul>`;
}

function policyText({ state, mode, detail }) {
  return state !== 'not_tried' && [spoken(state), mode && `mode ${mode}`, detail].filter(Boolean).join(', ');
}

function Summary({ result }) {
  const general = result.findings.filter((finding) => finding.host === null);
  return html`<${Card} class="verdict" title=${result.name || 'The server'} actions=${html`<${StateBadge} state=${levelOf(result.worst)} />`}>
    ${general.length > 0 && html`<${Findings} findings=${general} />`}
    <${Facts} items=${[['Port', result.port], ['Mail servers', result.route && spoken(result.route)], ['MTA-STS', policyText(result.mta_sts)],
      ['Put before the message', result.added.length > 0 && html`<code class="breaks">${result.added.join('\n')}</code>`]]} />
    ${!result.complete && html`<p class="muted small">The time was over before all was looked at.</p>`}<//>`;
}

function day(seconds) {
  return date(new Date(seconds * 1000).toISOString());
}

function Certificate({ certificate, is_first }) {
  const ends = new Date(certificate.not_after * 1000).toISOString();
  return html`<li><div class="grow"><strong class="breaks">${certificate.subject}</strong>
    <p class="muted small breaks">by ${certificate.issuer}</p>
    <p class="small">${day(certificate.not_before)} to ${day(certificate.not_after)} (${ago(ends)}) ·
      ${certificate.key} ${certificate.key_bits} · ${certificate.signature}</p>
    ${is_first && certificate.names.length > 0 && html`<p class="small breaks">for ${certificate.names.join(', ')}</p>`}</div></li>`;
}

const STS = { yes: 'the policy names this host', no: 'the policy does not name this host' };
const VERSIONS = { TLSv1: 'TLS 1.0', 'TLSv1.1': 'TLS 1.1', 'TLSv1.2': 'TLS 1.2', 'TLSv1.3': 'TLS 1.3' };
const OFFERED = { yes: 'offered', no: 'refused', unknown: 'not known' };

function daneText({ dane, dane_records, dane_authentic }) {
  const records = dane_records > 0 && `${plural(dane_records, 'record')}, ${dane_authentic ? '' : 'not '}proven by DNSSEC`;
  return dane in DANE && [DANE[dane], records].filter(Boolean).join('; ');
}

function TlsPanel({ host }) {
  const { tls } = host;
  if (!tls && host.tls_versions.length === 0) return null;
  return html`<${Card} title="TLS" level=${3}>
    ${tls && html`<${Facts} items=${[['Used', `${tls.version}, ${tls.cipher}, ${tls.cipher_bits} bits`], ['Key exchange', tls.group],
      ['Handshake', millis(tls.handshake_ms)],
      ['Certificate', tls.trusted && tls.for_host ? 'trusted, and for this host' : tls.verification],
      ['For this host', tls.for_host ? 'yes' : 'no'], ['OCSP', tls.ocsp === 'none' ? 'nothing stapled' : spoken(tls.ocsp)]]} />
      <ol class="paths" aria-label="Chain of certificates">${tls.chain.map((one, i) => html`<${Certificate} certificate=${one} is_first=${i === 0} />`)}</ol>`}
    <${Facts} items=${[...host.tls_versions.map((v) => [VERSIONS[v.version] ?? v.version,
      [OFFERED[v.offered] ?? v.offered, v.offered === 'yes' && v.detail].filter(Boolean).join(', ')]),
      ['Injection', INJECTION[host.starttls_injection]],
      ['DANE', daneText(host)], ['MTA-STS', STS[host.mta_sts_names_it]]]} /><//>`;
}

function Extensions({ extensions }) {
  if (extensions.length === 0) return null;
  return html`<${Card} title="Extensions" level=${3}><${Facts} items=${extensions.map((one) => [html`<code class="breaks">${one.line}</code>`,
    one.meaning ?? 'not registered'])} /><//>`;
}

function Steps({ host }) {
  if (host.steps.length === 0) return null;
  return html`<${Card} title="Answers" level=${3}><div class="scroll" tabindex="0" role="region" aria-label="Answers of the server"><table class="table">
    <thead><tr><th scope="col">Step</th><th scope="col">Answer</th><th scope="col">Meaning</th><th scope="col">Took</th></tr></thead>
    <tbody>${host.steps.map((step) => html`<tr><td>${step.stage}${step.about && html` <span class="muted breaks">${step.about}</span>`}</td>
      <td>${[step.code, step.enhanced].filter(Boolean).join(' ')}</td><td>${step.meaning}</td><td>${millis(step.took_ms)}</td></tr>`)}</tbody></table></div><//>`;
}

const WORKED = { yes: 'works', no: 'fails', unknown: 'not known', not_tried: 'not tried' };

function portText(one) {
  if (one.end !== 'done') return `${spoken(one.end)}: ${one.detail}`;
  return [`open, ${millis(one.connect_ms)}`, one.tls ? one.tls.version : 'no TLS', one.banner].join(' · ');
}

function Host({ host, findings }) {
  const preference = host.preference === null ? '' : `, preference ${host.preference}`;
  const relayed = host.relay?.steps.filter((step) => step.stage === 'rcpt') ?? [];
  const place = host.has_address && html`<span class="muted small">${host.ip}, port ${host.port}${preference}</span>`;
  return html`<${Card} title=${host.host || host.ip} actions=${place}>
    <${Findings} findings=${findings} />
    ${host.has_address && html`<${Facts} items=${[['Connected', millis(host.connect_ms)], ['All of it', millis(host.total_ms)],
      ['Greeting', html`<span class="breaks">${host.banner}</span>`],
      ...host.logins.map((one) => [one.mechanism, [WORKED[one.worked] ?? one.worked, one.detail].filter(Boolean).join(': ')]),
      ...host.ports.map((one) => [`Port ${one.port}`, html`<span class="breaks">${portText(one)}</span>`]),
      ...relayed.map((step) => [step.code < 300 ? 'RELAYED' : 'Not relayed', html`<span class="breaks">${step.about}, ${step.code}</span>`])]} />`}<//>
    ${host.has_address && html`<${TlsPanel} host=${host} /><${Extensions} extensions=${host.extensions} /><${Steps} host=${host} />`}`;
}

function Result({ result }) {
  return html`<${Summary} result=${result} />
    ${result.hosts.map((host, i) => html`<${Host} host=${host} findings=${result.findings.filter((finding) => finding.host === i)} />`)}
    <${RecordJson} record=${result} />`;
}

function spokenState({ phase, stage, problem, result }) {
  if (phase === 'running') return stage || 'Testing';
  if (problem) return problem.title;
  return result ? `The test is over: ${levelOf(result.worst).text}, ${plural(result.findings.length, 'finding')}.` : '';
}

export function ProbeView({ target }) {
  const [text, setText] = useState(target);
  const [options, setOptions] = useState(USUAL);
  const { state, start, cancel } = useTest();
  const set = (name, value) => setOptions((old) => ({ ...old, [name]: value }));
  useEffect(() => {
    setText(target);
    if (target !== '') start(target, options);
  }, [target]);
  const submit = (event) => {
    event.preventDefault();
    const wanted = text.trim();
    if (wanted === '') return;
    const hash = `#/probe/${encodeURIComponent(wanted)}`;
    if (location.hash === hash) start(wanted, options);
    else location.hash = hash;
  };
  const is_running = state.phase === 'running';
  return html`<${PageHead} title="Mail servers" text="What a mail server says, offers and accepts, and what is wrong there." />
    <form class="below" onSubmit=${submit} role="search"><div class="ask">
      <label class="ask-field"><${Icon} name="server" size="20" /><span class="offscreen">Domain, host or address with a port</span>
        <input type="text" autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="400" placeholder="example.com or mx.example.com:587"
          value=${text} onInput=${(e) => setText(e.target.value)} /></label>
      ${is_running ? html`<${Button} icon="stop" onClick=${cancel}>Stop<//>`
        : html`<button type="submit" class="button primary big"><span>Test</span><${Icon} name="arrow" /></button>`}</div>
      <${Options} options=${options} set=${set} /></form>
    <p class="offscreen" role="status" aria-live="polite">${spokenState(state)}</p>
    ${state.phase !== 'idle' && html`<div class="two">
      <div class="column">
        <${Trouble} problem=${state.problem} retry=${() => start(state.target, options)} />
        ${is_running && html`<${Card} class="verdict"><div class="stages"><h2 class="breaks">${state.target}</h2>
          <ol><li class="now"><span class="spinner"></span><span>${state.stage || 'Starting'}</span></li></ol></div><//>`}
        ${state.result && html`<${Result} result=${state.result} />`}
      </div>
      <div class="column"><${Card} class="talk-card" title="Conversation"
        actions=${html`<span class="muted small">${state.lines.length > 0 && plural(state.lines.length, 'line')}</span>`}>
        <${Conversation} lines=${state.lines} is_running=${is_running} /><//></div></div>`}`;
}
