// app/extract: the addresses in a file of any kind: it is dropped, read by the server, and what is in it is shown with its
// place, saved as CSV, or handed in as a batch. Nobody is asked about an address before that.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useRef, useState } from './html.js';
import { query, save, upload } from './api.js';
import { Button, Card, DropZone, Icon, PageHead, Progress, Trouble } from './parts.js';
import { cellName, csv, percent, plural, size } from './format.js';

const PAGE = 100;
const ANY = 'application/octet-stream'; // the server looks at the content

/** "letters.zip/a.eml, line 3" */
function placeText({ member, line, page, row, column }) {
  const at = line ? `line ${line}` : page ? `page ${page}` : row ? `cell ${cellName(row, column)}` : '';
  return [member, at].filter(Boolean).join(', ');
}

function asCsv(addresses) {
  return new Blob([csv([['email', 'place'], ...addresses.map((one) => [one.email, placeText(one)])])], { type: 'text/csv' });
}

function Choices({ values, onChange }) {
  const tick = (name, text) => html`<label class="tick"><input type="checkbox" checked=${values[name]}
    onChange=${(e) => onChange({ ...values, [name]: e.target.checked })} /><span>${text}</span></label>`;
  return html`<div class="row wraps">${tick('obfuscated', 'Find “jane [at] example [dot] com” too')}
    ${tick('hidden', 'Read comments and scripts of HTML too')}</div>`;
}

function Unread({ unread }) {
  return html`<div class="trouble" role="alert"><${Icon} name="warn" /><div><strong>Not all of it could be read</strong>
    <ul>${unread.map((text) => html`<li class="breaks">${text}</li>`)}</ul></div></div>`;
}

function Table({ addresses }) {
  const [shown, setShown] = useState(PAGE);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Addresses"><table class="table">
      <thead><tr><th scope="col">Address</th><th scope="col">Place</th></tr></thead>
      <tbody>${addresses.slice(0, shown).map((one) => html`<tr><td class="address">
        <a href=${`#/check/${encodeURIComponent(one.email)}`}>${one.email}</a></td><td class="breaks">${placeText(one)}</td></tr>`)}</tbody></table></div>
    ${shown < addresses.length && html`<${Button} onClick=${() => setShown(shown + PAGE)}>Show more<//>`}`;
}

/** Sends the addresses as a batch; the page of it opens. */
function VerifyButton({ name, addresses, onProblem }) {
  const [is_busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    onProblem(null);
    try {
      const values = { name: 'extracted.csv', column: 'email', label: `Addresses in ${name}`.slice(0, 200) };
      const batch = await upload(`/v1/batches${query(values)}`, asCsv(addresses), 'text/csv', () => {}).promise;
      location.hash = `#/batches/${encodeURIComponent(batch.id)}`;
    } catch (trouble) {
      setBusy(false);
      onProblem(trouble);
    }
  };
  return html`<${Button} kind="primary" icon="check" disabled=${is_busy} onClick=${verify}>Verify these<//>`;
}

function Found({ name, answer }) {
  const [problem, setProblem] = useState(null);
  const { addresses, more, unread } = answer;
  const actions = addresses.length > 0 && html`<${Button} icon="download" onClick=${() => save(asCsv(addresses), 'addresses.csv')}>Download as CSV<//>
    <${VerifyButton} name=${name} addresses=${addresses} onProblem=${setProblem} />`;
  return html`<${Card} title=${plural(addresses.length, 'address', 'addresses')} actions=${actions}>
    <p class="muted breaks" role="status">In ${name}, each once.${more ? ' There are more: one answer holds no more than these.' : ''}</p>
    <${Trouble} problem=${problem} />
    ${unread.length > 0 && html`<${Unread} unread=${unread} />`}
    ${addresses.length > 0 && html`<${Table} addresses=${addresses} />`}<//>`;
}

/** Sends the file when it appears, and again when the choices change. */
function Reading({ file, choices }) {
  const [state, setState] = useState({ sent: 0 }); // sent, of file.size; then answer or problem
  const [round, setRound] = useState(0);
  const current = useRef(null);
  useEffect(() => {
    setState({ sent: 0 });
    current.current = upload(`/v1/extract${query(choices)}`, file, ANY, (sent) => setState({ sent }));
    current.current.promise.then((answer) => setState({ answer })).catch((problem) => {
      if (problem.name !== 'AbortError') setState({ problem });
    });
    return () => current.current.abort();
  }, [file, choices, round]);
  if (state.answer) return html`<${Found} key=${round} name=${file.name} answer=${state.answer} />`;
  if (state.problem) return html`<${Trouble} problem=${state.problem} retry=${() => setRound(round + 1)} />`;
  return html`<${Card}><div class="sending"><${Progress} value=${state.sent} total=${file.size} label="Upload" />
    <p role="status">${state.sent < file.size ? `${percent(state.sent, file.size)} of ${size(file.size)} sent` : 'Sent; the server is reading it'}</p></div><//>`;
}

export function ExtractView() {
  const [file, setFile] = useState(null);
  const [choices, setChoices] = useState({ obfuscated: false, hidden: false });
  return html`<${PageHead} title="Extract" text="The addresses in a file of any kind. Nobody is asked about them." />
    <${DropZone} title="Drop a file here" label="File with addresses"
      text="Text, HTML, mail, mbox, PDF, Word, Excel, OpenDocument, vCard, LDIF, and archives of these. Up to 16 MB."
      onFile=${setFile} /><${Choices} values=${choices} onChange=${setChoices} />
    <section class="below" aria-label="Addresses that were found">
      ${file && html`<${Reading} file=${file} choices=${choices} />`}</section>`;
}
