// app/verdict: a record as people read it: status, score and its terms, what was seen, and the JSON behind it.
// SPDX-License-Identifier: Apache-2.0
import { html } from './html.js';
import { Button, Card, CopyButton, Facts, Icon, StatusBadge } from './parts.js';
import { ago, date, duration, millis } from './format.js';
import { adviceText, causeSentence, classText, flagText, reasonText, subSentence } from './words.js';

const RADIUS = 34;
const ROUND = 2 * Math.PI * RADIUS;

function ScoreRing({ score, status }) {
  const part = Math.max(0, Math.min(100, Number(score) || 0)) / 100;
  return html`<div class=${`ring ${status}`} role="img" aria-label=${`Score ${score} of 100`}>
    <svg viewBox="0 0 80 80" width="92" height="92" aria-hidden="true"><circle class="track" cx="40" cy="40" r=${RADIUS} />
      ${part > 0 && html`<circle class="value" cx="40" cy="40" r=${RADIUS} stroke-dasharray=${`${part * ROUND} ${ROUND}`} />`}</svg>
    <b>${score}</b></div>`;
}

/** The first reason is the base of the score; the others take from it or add to it. */
function toneOf(effect, is_base) {
  if (is_base) return 'base';
  if (effect === 0) return 'none';
  return effect > 0 ? 'up' : 'down';
}

function effectText(effect, is_base) {
  if (effect === 0) return is_base ? '0' : '';
  return is_base ? String(effect) : `${effect > 0 ? '+' : '−'}${Math.abs(effect)}`;
}

function Reasons({ reasons, score }) {
  return html`<${Card} title="Why" actions=${html`<span class="muted small">${adviceText(score)}</span>`}><ol class="reasons">
    ${reasons.map((reason, i) => html`<li>
      <span class=${`effect ${toneOf(reason.effect, i === 0)}`}>${effectText(reason.effect, i === 0) || html`<i class="dot"></i>`}</span>
      <div><span>${reasonText(reason.code)}</span>${reason.detail && html`<code class="breaks">${reason.detail}</code>`}</div></li>`)}
  </ol><//>`;
}

function tlsText(tls) {
  if (!tls) return null;
  if (!tls.used) return 'Not used';
  return [tls.version, tls.cipher, tls.cert_ok === true ? 'certificate good' : tls.cert_ok === false ? 'certificate not trusted' : null]
    .filter(Boolean).join(' · ');
}

function controlText(control) {
  if (!control?.result) return null;
  return `${control.result}${control.code ? ` (${control.code})` : ''}${control.tested ? '' : ', from memory'}`;
}

function replyText(smtp) {
  if (!smtp?.code) return null;
  return html`<code class="breaks">${[smtp.code, smtp.text].filter(Boolean).join(' ')}</code>`;
}

function latencyText(latency) {
  const parts = Object.entries(latency ?? {}).filter(([, ms]) => Number.isFinite(ms));
  return parts.length === 0 ? null : parts.map(([name, ms]) => `${name} ${millis(ms)}`).join(' · ');
}

function providerText({ label, name, class: kind }) {
  const text = label ?? name;
  return classText(kind) === text ? text : html`${text} <span class="muted">${classText(kind)}</span>`;
}

function Server({ record }) {
  const { smtp, provider, dns } = record;
  return html`<${Card} title="Server"><${Facts} items=${[
    ['Provider', provider && providerText(provider)],
    ['Host', smtp?.host],
    ['Address', smtp?.ip && `${smtp.ip}, port ${smtp.port}`],
    ['It said', replyText(smtp)],
    ['Stage', smtp?.stage],
    ['TLS', tlsText(smtp?.tls)],
    ['Control', controlText(smtp?.control)],
    ['Greylisting', smtp?.greylist?.seen ? `seen${smtp.greylist.waited_s ? `, waited ${duration(smtp.greylist.waited_s)}` : ''}` : null],
    ['Asked by', smtp && `${smtp.egress}, as ${smtp.helo}, from <${smtp.mail_from ?? ''}>`],
    ['Extensions', smtp?.extensions?.length > 0 && html`<span class="breaks">${smtp.extensions.join(', ')}</span>`],
    ['Times', latencyText(smtp?.latency_ms)],
    ['Rule', smtp?.rule && html`<code class="breaks">${smtp.rule}</code>`],
  ]} />${dns && html`<h3>DNS</h3>${dns.mx?.length > 0 ? html`<div class="scroll" tabindex="0" role="region" aria-label="Mail exchangers">
    <table class="table small">
      <thead><tr><th scope="col">Exchanger</th><th scope="col" class="num">Pref.</th><th scope="col">Addresses</th></tr></thead>
      <tbody>${dns.mx.map((mx) => html`<tr><td>${mx.host}</td><td class="num">${mx.preference}</td>
        <td>${(mx.addresses ?? []).join(', ')}</td></tr>`)}</tbody></table></div>`
    : html`<p class="muted">No exchangers: ${dns.status}</p>`}`}<//>`;
}

function Flags({ flags }) {
  const set = Object.entries(flags ?? {}).filter(([, value]) => value === true);
  if (set.length === 0) return null;
  return html`<ul class="flags" aria-label="Flags">${set.map(([name]) => html`<li>${flagText(name)}</li>`)}</ul>`;
}

function Advice({ record, onAsk }) {
  return html`${record.did_you_mean && html`<div class="hint"><${Icon} name="spark" /><span>Did you mean${' '}
      <b class="breaks">${record.did_you_mean}</b>?</span><${Button} kind="quiet" icon="arrow" onClick=${() => onAsk(record.did_you_mean)}>Check it<//></div>`}
    ${record.retry_after > 0 && html`<div class="hint"><${Icon} name="clock" />
      <span>Asking again in ${duration(record.retry_after)} may tell more.</span></div>`}`;
}

function shownTime(record) {
  const when = record.checked_at ? html`<time datetime=${record.checked_at} title=${date(record.checked_at)}>${ago(record.checked_at)}</time>` : null;
  if (record.cached) return html`Known answer, found out ${when}`;
  return html`Asked ${when}, took ${millis(record.duration_ms)}`;
}

/** The whole verdict; onAsk(address) checks another one. */
export function Verdict({ record, pending, onAsk }) {
  const cause = causeSentence(record);
  return html`
    <section class=${`card verdict ${record.status}`} aria-label="Verdict">
      <div class="verdict-top"><${ScoreRing} score=${record.score} status=${record.status} />
        <div class="grow"><${StatusBadge} status=${record.status} large=${true} />
          <h2 class="breaks">${record.email}</h2>
          <p>${subSentence(record)} ${cause}</p></div></div>
      ${pending && html`<div class="hint"><${Icon} name="clock" />
        <span>This is what is known by now. The work goes on, and the answer is kept.</span></div>`}
      <${Advice} record=${record} onAsk=${onAsk} />
      <${Flags} flags=${record.flags} />
      <p class="meta"><span>${shownTime(record)}</span><span>${Math.round((record.confidence ?? 0) * 100)} % sure</span>
        <code>${record.sub_status}</code></p>
    </section>
    <${Reasons} reasons=${record.reasons ?? []} score=${record.score} />
    <${Server} record=${record} />`;
}

/** The record itself, to copy. */
export function RecordJson({ record }) {
  const json = JSON.stringify(record, null, 2);
  return html`<details class="card json"><summary>Record as JSON</summary>
      <div class="json-head"><${CopyButton} text=${json} label="Copy JSON" /></div><pre tabindex="0">${json}</pre></details>`;
}
