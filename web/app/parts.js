// app/parts: the pieces that all views are made of. Texts of others come in as children or props, never as markup.
// SPDX-License-Identifier: Apache-2.0
import { html, useCallback, useEffect, useRef, useState } from './html.js';
import { tryApiKey } from './api.js';
import { STATUS } from './words.js';
import { count, percent, sparkline } from './format.js';

export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} aria-hidden="true"><use href=${`icons.svg#${name}`} /></svg>`;
}

export function Button({ icon, kind = 'plain', children, ...rest }) {
  return html`<button type="button" class=${`button ${kind}`} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span></button>`;
}

/** A button that shows its icon only; label is read out and shown on hover. */
export function IconButton({ icon, label, ...rest }) {
  return html`<button type="button" class="button icon-only" aria-label=${label} title=${label} ...${rest}>
    <${Icon} name=${icon} /></button>`;
}

export function StatusBadge({ status, large = false }) {
  const known = STATUS[status] ?? STATUS.unknown;
  return html`<span class=${`badge ${status in STATUS ? status : 'unknown'} ${large ? 'large' : ''}`}>
    <${Icon} name=${known.icon} size=${large ? 18 : 14} />${known.text}</span>`;
}

export function StateBadge({ state }) {
  return html`<span class=${`badge ${state.tone}`}><i class="dot"></i>${state.text}</span>`;
}

export function Card({ title, actions, children, class: more = '', level = 2 }) {
  const Heading = `h${level}`;
  return html`<section class=${`card ${more}`}>
    ${title && html`<header class="card-head"><${Heading}>${title}<//><div class="actions">${actions}</div></header>`}
    ${children}</section>`;
}

export function PageHead({ title, text, children }) {
  return html`<div class="page-head"><div><h1 tabindex="-1">${title}</h1>${text && html`<p>${text}</p>`}</div>
    <div class="actions">${children}</div></div>`;
}

/** Name and value pairs; a value of null or undefined is left out. */
export function Facts({ items }) {
  return html`<dl class="facts">${items.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '')
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function Empty({ icon, title, children }) {
  return html`<div class="empty"><div class="empty-icon"><${Icon} name=${icon} size="26" /></div><h2>${title}</h2>${children}</div>`;
}

export function Loading({ text = 'Loading' }) {
  return html`<p class="loading" role="status"><span class="spinner"></span>${text} …</p>`;
}

/** The form for an API key; done() once the server has taken it. */
export function KeyForm({ done }) {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState(null);
  const [is_busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    if (key.trim() === '') return;
    setBusy(true);
    setProblem(null);
    try {
      await tryApiKey(key.trim());
      done?.();
    } catch (trouble) {
      setProblem(trouble);
    }
    setBusy(false);
  };
  return html`<form class="key-form" onSubmit=${submit}><div class="row">
    <label class="field grow"><span>API key</span>
      <input type="password" autocomplete="off" spellcheck=${false} value=${key} aria-invalid=${problem ? 'true' : undefined}
        onInput=${(e) => setKey(e.target.value)} /></label>
    <button type="submit" class="button primary" disabled=${is_busy}><span>Use this key</span></button></div>
    ${problem && html`<p class="key-trouble" role="alert">${problem.status === 401 ? 'The server does not know this key, or it was revoked.' : problem.message}</p>`}</form>`;
}

/** True: this server is one that has no such endpoint. */
export function isMissing(problem) {
  return problem?.status === 404 || problem?.status === 501;
}

const KEY_WANTED = 'This server answers only those who have a key of it. Its administrator makes one with “heloise key add”.';

/** What went wrong, with what can be done about it. */
export function Trouble({ problem, retry }) {
  if (!problem) return null;
  const text = problem.status === 401 ? KEY_WANTED : problem.detail ?? problem.message;
  const where = [problem.row && `row ${count(problem.row)}`, problem.column && `column ${problem.column}`].filter(Boolean);
  return html`<div class="trouble" role="alert">
    <${Icon} name=${problem.status === 401 ? 'key' : 'warn'} />
    <div><strong>${problem.title ?? 'Something went wrong'}</strong>
      <p>${[text, where.join(', ')].filter(Boolean).join(' — ')}</p>
      ${problem.retry_after && html`<p>Try again in ${problem.retry_after} s.</p>`}
      ${problem.status === 401 ? html`<${KeyForm} done=${retry} />`
        : retry && html`<${Button} icon="repeat" onClick=${retry}>Try again<//>`}</div></div>`;
}

/** Copies a text, and says that it did. */
export function CopyButton({ text, label = 'Copy' }) {
  const [is_done, setDone] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    if (!await toClipboard(text)) return;
    setDone(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(false), 2000);
  };
  return html`<${Button} kind="quiet" icon=${is_done ? 'check' : 'copy'} onClick=${copy}>
    <span aria-live="polite">${is_done ? 'Copied' : label}</span><//>`;
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { // plain HTTP on another name than localhost has no clipboard interface
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'offscreen';
    document.body.append(area);
    area.select();
    const is_copied = document.execCommand('copy');
    area.remove();
    return is_copied;
  }
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, text, action, onYes, onClose }) {
  const ref = useRef(null);
  useEffect(() => {
    ref.current.showModal();
  }, []);
  return html`<dialog ref=${ref} class="dialog" onClose=${onClose} aria-labelledby="confirm-title">
    <h2 id="confirm-title">${title}</h2><p>${text}</p>
    <div class="actions end"><${Button} autofocus onClick=${() => ref.current.close()}>Keep<//>
      <${Button} kind="danger" onClick=${() => { ref.current.close(); onYes(); }}>${action}<//></div></dialog>`;
}

/** How a whole is made up by status: one bar, its parts with the same colours everywhere. */
export function StatusBar({ statuses, total, label }) {
  const parts = Object.keys(STATUS).map((status) => [status, statuses?.[status] ?? 0]);
  const text = parts.map(([status, n]) => `${STATUS[status].text} ${count(n)}`).join(', ');
  return html`<div class="stack" role="img" aria-label=${`${label ? `${label}: ` : ''}${text}`}>
    ${parts.map(([status, n]) => n > 0 && html`<i class=${status} style=${{ flexGrow: n }}></i>`)}
    ${total > 0 && html`<i class="rest" style=${{ flexGrow: Math.max(0, total - parts.reduce((sum, [, n]) => sum + n, 0)) }}></i>`}
  </div>`;
}

export function Progress({ value, total, label }) {
  const is_known = total > 0;
  return html`<div class=${`progress ${is_known ? '' : 'endless'}`} role="progressbar" aria-label=${label} aria-valuemin="0"
    aria-valuemax=${is_known ? 100 : undefined} aria-valuenow=${is_known ? Math.floor((value / total) * 100) : undefined}
    aria-valuetext=${is_known ? percent(value, total) : 'under way'}>
    <i style=${{ width: is_known ? `${Math.min(100, (value / total) * 100)}%` : undefined }}></i></div>`;
}

export function Sparkline({ values, label, width = 96, height = 28, tone = 'accent' }) {
  const points = sparkline(values, width, height - 4);
  return html`<svg class=${`spark ${tone}`} role="img" aria-label=${label} width=${width} height=${height}
    viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none">
    ${points === '' ? html`<line x1="0" x2=${width} y1=${height - 3} y2=${height - 3} />`
      : html`<polyline points=${points} transform="translate(0 2)" />`}</svg>`;
}

/** Where a file is dropped, or chosen; accept: which endings are offered. */
export function DropZone({ title, text, label, accept, onFile }) {
  const [is_over, setOver] = useState(false);
  const input = useRef(null);
  const dropped = (event) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files?.[0];
    if (file) onFile(file);
  };
  return html`<div class=${`drop ${is_over ? 'over' : ''}`} onDrop=${dropped}
      onDragOver=${(e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}>
    <span class="drop-icon"><${Icon} name="upload" size="26" /></span>
    <div><strong>${title}</strong><p>${text}</p></div>
    <${Button} kind="primary" icon="file" onClick=${() => input.current.click()}>Choose a file<//>
    <input ref=${input} type="file" class="offscreen" tabindex="-1" aria-label=${label} id="file" accept=${accept}
      onChange=${(e) => { const f = e.target.files[0]; e.target.value = ''; if (f) onFile(f); }} /></div>`;
}

/** A choice of a few, as a group of radio buttons that looks like one control. */
export function Segments({ label, value, options, onChange }) {
  return html`<div class="segments" role="group" aria-label=${label}>${options.map(([key, text, icon]) => html`
    <button type="button" aria-pressed=${String(value === key)} onClick=${() => onChange(key)}>
      ${icon && html`<${Icon} name=${icon} size="16" />`}${text}</button>`)}</div>`;
}

/** Loads something and again every period_ms while the page is looked at: {data, problem, reload, set}. */
export function useLoad(load, keys, period_ms = 0) {
  const [state, setState] = useState({ data: null, problem: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    let is_first = true;
    const once = async () => {
      try {
        if (is_first || !document.hidden) {
          const data = await load(stop.signal);
          if (!stop.signal.aborted) setState({ data, problem: null });
        }
      } catch (problem) {
        if (problem.name !== 'AbortError') setState((old) => ({ data: old.data, problem }));
      }
      is_first = false;
      if (period_ms > 0 && !stop.signal.aborted) timer = setTimeout(once, period_ms);
    };
    once();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [...keys, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const set = useCallback((data) => setState({ data, problem: null }), []);
  return { ...state, reload, set };
}
