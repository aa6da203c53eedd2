// app/upload: a file is dropped or chosen, looked at, described, and sent as it is. Text formats are previewed from
// their first bytes; the file is never read whole here.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useRef, useState } from './html.js';
import { query, upload } from './api.js';
import { Button, Card, DropZone, Icon, IconButton, Progress, Trouble } from './parts.js';
import { percent, plural, size } from './format.js';
import { SNIFF_BYTES, sniff, typeOf } from './sniff.js';

const PREVIEW_ROWS = 6;
const PREVIEW_COLUMNS = 12;
const FORMATS = { csv: 'CSV', txt: 'Text', ndjson: 'NDJSON', json: 'JSON', xlsx: 'Excel' };
const DELIMITERS = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'bars' };

function seenText(seen) {
  const parts = [FORMATS[seen.format]];
  if (seen.format === 'csv' && seen.delimiter) parts.push(`cut at ${DELIMITERS[seen.delimiter]}`);
  if (seen.format !== 'xlsx') parts.push(plural(seen.columns.length, 'column'));
  return parts.join(' · ');
}

function Preview({ seen, column }) {
  if (seen.format === 'xlsx') return html`<p class="muted">Workbooks are read by the server: the first sheet, and the column that holds addresses.</p>`;
  if (seen.rows.length === 0) return html`<p class="muted">No rows were found at the beginning of this file.</p>`;
  const columns = seen.columns.slice(0, PREVIEW_COLUMNS);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="First rows of the file"><table class="table preview">
    <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.number === column ? 'chosen' : ''}>${c.name || `Column ${c.number}`}</th>`)}</tr>
      </thead>
    <tbody>${seen.rows.slice(0, PREVIEW_ROWS).map((row) => html`<tr>${columns.map((c) => html`
      <td class=${c.number === column ? 'chosen' : ''}>${row[c.number - 1] ?? ''}</td>`)}</tr>`)}</tbody></table></div>`;
}

function ColumnChoice({ seen, column, onChange }) {
  if (seen.format === 'xlsx') {
    return html`<label class="field"><span>Column of the addresses</span>
      <input value=${column ?? ''} placeholder="found by the server" onInput=${(e) => onChange(e.target.value)} /></label>`;
  }
  if (seen.columns.length < 2) return null;
  return html`<label class="field"><span>Column of the addresses</span>
    <select value=${column ?? ''} onChange=${(e) => onChange(Number(e.target.value) || null)}>
      ${column === null && html`<option value="">Choose a column</option>`}
      ${seen.columns.map((c) => html`<option value=${c.number} selected=${c.number === column}>${c.name || `Column ${c.number}`}</option>`)}
    </select></label>`;
}

/** What is said to the server of the column: its name where the file has names that are all different, else its number. */
function columnWord(seen, column) {
  if (column === null || column === '') return undefined;
  if (seen.format === 'xlsx') return column;
  if (seen.columns.length < 2) return undefined;
  const name = seen.columns[column - 1]?.name ?? '';
  const is_alone = name !== '' && seen.columns.filter((c) => c.name === name).length === 1 && !/^\d+$/.test(name);
  return seen.has_header && is_alone ? name : column;
}

function useSeen(file) {
  const [seen, setSeen] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    let is_gone = false;
    file.slice(0, SNIFF_BYTES).arrayBuffer()
      .then((bytes) => !is_gone && setSeen(sniff(new Uint8Array(bytes), file.name, file.size > SNIFF_BYTES)))
      .catch(() => !is_gone && setProblem({ title: 'The file cannot be read', detail: file.name }));
    return () => { is_gone = true; };
  }, [file]);
  return [seen, problem];
}

function Form({ file, seen, onSend, onDrop, sending }) {
  const [column, setColumn] = useState(seen.email);
  const [label, setLabel] = useState('');
  const [webhook, setWebhook] = useState('');
  const submit = (event) => {
    event.preventDefault();
    onSend({ name: file.name, column: columnWord(seen, column), label: label.trim(), webhook: webhook.trim() }, typeOf(seen.format));
  };
  return html`<form onSubmit=${submit}>
    <div class="file-row"><span class="drop-icon small"><${Icon} name="file" /></span>
      <div class="grow"><strong class="breaks">${file.name}</strong><p>${size(file.size)} · ${seenText(seen)}</p></div>
      ${!sending && html`<${IconButton} icon="cross" label="Choose another file" onClick=${onDrop} />`}</div>
    <${Preview} seen=${seen} column=${column} />
    <fieldset class="fields" disabled=${sending}>
      <${ColumnChoice} seen=${seen} column=${column} onChange=${setColumn} />
      <label class="field"><span>Label <em>optional</em></span><input value=${label} maxlength="200" onInput=${(e) => setLabel(e.target.value)} /></label>
      <label class="field"><span>Webhook when it is done <em>optional</em></span>
        <input type="url" value=${webhook} placeholder="https://" onInput=${(e) => setWebhook(e.target.value)} /></label>
    </fieldset>
    ${!sending && html`<div class="actions end"><${Button} onClick=${onDrop}>Not this one<//>
      <button type="submit" class="button primary"><span>Check this list</span><${Icon} name="arrow" /></button></div>`}</form>`;
}

function Chosen({ file, onDrop, onDone }) {
  const [seen, unreadable] = useSeen(file);
  const [sent, setSent] = useState(null); // {bytes, total} while it is sent
  const [problem, setProblem] = useState(null);
  const current = useRef(null);
  useEffect(() => () => current.current?.abort(), []);
  const send = (values, type) => {
    setProblem(null);
    setSent({ bytes: 0, total: file.size });
    current.current = upload(`/v1/batches${query(values)}`, file, type, (bytes, total) => setSent({ bytes, total }));
    current.current.promise.then(onDone).catch((trouble) => {
      setSent(null);
      if (trouble.name !== 'AbortError') setProblem(trouble);
    });
  };
  return html`<${Card} class="chosen-file">
    <${Trouble} problem=${problem ?? unreadable} />
    ${seen && html`<${Form} file=${file} seen=${seen} onSend=${send} onDrop=${onDrop} sending=${sent !== null} />`}
    ${sent && html`<div class="sending"><${Progress} value=${sent.bytes} total=${sent.total} label="Upload" />
      <div class="row"><span class="grow" role="status">${sent.bytes < sent.total ? `${size(sent.bytes)} of ${size(sent.total)} sent, ${percent(sent.bytes, sent.total)}`
        : 'Sent; the server is taking the rows in'}</span>
      <${Button} icon="stop" onClick=${() => current.current?.abort()}>Stop<//></div></div>`}<//>`;
}

/** onDone(batch) when the server has taken it. */
export function Upload({ onDone }) {
  const [file, setFile] = useState(null);
  return file === null ? html`<${DropZone} title="Drop a list here" text="CSV, Excel, text, NDJSON or JSON. Up to 10 million rows."
      label="List of addresses" accept=".csv,.tsv,.txt,.ndjson,.jsonl,.json,.xlsx" onFile=${setFile} />`
    : html`<${Chosen} key=${`${file.name} ${file.lastModified}`} file=${file} onDrop=${() => setFile(null)} onDone=${onDone} />`;
}
