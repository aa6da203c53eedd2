// app/own_lists: the lists that flags and suggestions come from: what they hold and how old they are, which entry decides
// about a domain or an address, and own entries over them.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useState } from './html.js';
import { call, path, query } from './api.js';
import { Button, Card, Empty, Facts, Icon, IconButton, Loading, PageHead, StateBadge, Trouble, useLoad } from './parts.js';
import { count, date, plural, size } from './format.js';

const PAGE = 100; // own entries that are shown
const CHANGED = {
  none: 'was on the list already', added: 'is on the list now', restored: 'counts again', dropped: 'is off the list', removed: 'is taken out of the list',
};

function matchState({ is_exception, rule }) {
  if (is_exception) return { text: 'Taken out', tone: 'unknown' };
  return rule === 'parent' ? { text: 'By a parent', tone: 'risky' } : { text: 'Itself', tone: 'accent' };
}

function said({ is_disposable, is_free, is_role }) {
  const flags = [is_disposable ? 'disposable' : 'not disposable', is_free && 'free', is_role && 'a role'];
  return flags.filter(Boolean).join(', ');
}

function Tested({ found }) {
  return html`<${Facts} items=${[['Domain', found.domain], ['So it is', said(found)], ['Did you mean', found.did_you_mean]]} />
    ${found.matches.length === 0 ? html`<p class="muted">No list has an entry that speaks of it.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Entries that speak of it"><table class="table">
      <thead><tr><th scope="col">List</th><th scope="col">Entry</th><th scope="col">How</th><th scope="col">Where</th></tr></thead>
      <tbody>${found.matches.map((m) => html`<tr><td>${m.list}</td><td class="breaks">${m.entry}</td><td><${StateBadge} state=${matchState(m)} /></td>
        <td>${m.file}, line ${count(m.line)}${m.is_own ? ' (your own)' : ''}</td></tr>`)}</tbody></table></div>`}`;
}

/** Which entry decides; round: asked anew whenever the lists were changed. */
function Test({ subject, round }) {
  const key = subject.includes('@') ? 'address' : 'domain';
  const { data, problem } = useLoad((signal) => call('GET', `/v1/lists/test${query({ [key]: subject })}`, { signal }), [subject, round]);
  return html`<${Card} title=${subject}><${Trouble} problem=${problem} />
    ${!data && !problem && html`<${Loading} text="Looking" />`}${data && html`<${Tested} found=${data} />`}<//>`;
}

function Row({ list, is_chosen, choose }) {
  const own = [list.added > 0 && `${count(list.added)} added`, list.removed > 0 && `${count(list.removed)} taken out`].filter(Boolean);
  return html`<tr><td><button type="button" class="button quiet" aria-pressed=${String(is_chosen)} onClick=${choose}>${list.list}</button>
      <p class="muted small">${list.purpose}</p></td>
    <td class="num">${count(list.entries)}</td><td class="num">${size(list.bytes)}</td><td><time datetime=${list.changed_at}>${date(list.changed_at)}</time></td>
    <td>${list.is_updated ? 'Updated' : 'As shipped'}</td><td>${own.join(', ') || '–'}</td></tr>`;
}

function Table({ lists, chosen, choose }) {
  return html`<${Card} title="Lists"><div class="scroll" tabindex="0" role="region" aria-label="Lists"><table class="table">
    <thead><tr><th scope="col">List</th><th scope="col" class="num">Entries</th><th scope="col" class="num">Size</th><th scope="col">Of</th>
      <th scope="col">State</th><th scope="col">Your own</th></tr></thead>
    <tbody>${lists.map((list) => html`<${Row} key=${list.list} list=${list} is_chosen=${list.list === chosen} choose=${() => choose(list.list)} />`)}</tbody>
    </table></div><//>`;
}

/** Adding to a list, and taking out of it. change(method, entry) is told what to do. */
function Change({ name, change }) {
  const [entry, setEntry] = useState('');
  const act = async (method) => {
    if (entry.trim() !== '' && await change(method, entry.trim())) setEntry('');
  };
  const submit = (event) => {
    event.preventDefault();
    act('POST');
  };
  return html`<form onSubmit=${submit}><div class="row wraps">
    <label class="field grow"><span>Entry</span><input type="text" autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="255"
      placeholder=${name === 'roles' ? 'support' : name === 'tlds' ? 'example' : 'example.com'} value=${entry} onInput=${(e) => setEntry(e.target.value)} /></label>
    <button type="submit" class="button primary"><${Icon} name="plus" /><span>Add</span></button>
    <${Button} icon="cross" onClick=${() => act('DELETE')}>Take out<//></div></form>`;
}

function Entries({ data, change }) {
  if (data.total === 0) return html`<p class="muted">Nothing of your own is in this list.</p>`;
  return html`<ul class="paths">${data.entries.map((own) => html`<li key=${own.line}><div class="row"><span class="grow breaks">${own.entry}</span>
      ${own.is_exception && html`<${StateBadge} state=${{ text: 'Taken out', tone: 'unknown' }} />`}
      <${IconButton} icon=${own.is_exception ? 'repeat' : 'trash'} label=${own.is_exception ? `Let ${own.entry} count again` : `Remove ${own.entry}`}
        onClick=${() => change(own.is_exception ? 'POST' : 'DELETE', own.entry)} /></div></li>`)}</ul>
    ${data.total > data.entries.length && html`<p class="muted small">${count(data.entries.length)} of ${plural(data.total, 'entry', 'entries')} are shown;
      the command <code>heloise lists</code> and the file have all.</p>`}`;
}

/** Own entries of one list. changed() once one was. */
function Own({ list, changed }) {
  const name = list.list;
  const url = path('lists', name, 'entries');
  const { data, problem, reload } = useLoad((signal) => call('GET', `${url}?limit=${PAGE}`, { signal }), [name]);
  const [trouble, setTrouble] = useState(null);
  const [news, setNews] = useState('');
  const change = async (method, entry) => {
    setTrouble(null);
    setNews('');
    try {
      const answer = method === 'POST' ? await call('POST', url, { body: { entry } }) : await call('DELETE', path('lists', name, 'entries', entry));
      setNews(`${answer.entry} ${CHANGED[answer.change]}.`);
      reload();
      changed();
      return true;
    } catch (cause) {
      setTrouble(cause);
      return false;
    }
  };
  return html`<${Card} title=${`Your own: ${name}`}>
    <p class="muted">${name === 'roles' ? 'Local parts' : name === 'tlds' ? 'Top-level domains' : 'Domains'} that you add, and those of
      ours that you take out. They count at once.</p>
    <${Facts} items=${[['Source', list.source], ['Licence', list.licence], ['SHA-256', html`<code class="breaks">${list.sha256}</code>`]]} />
    <${Change} name=${name} change=${change} /><p role="status" class="small">${news}</p>
    <${Trouble} problem=${trouble ?? problem} />${!data && !problem && html`<${Loading} />`}${data && html`<${Entries} data=${data} change=${change} />`}<//>`;
}

function Ask({ subject }) {
  const [text, setText] = useState(subject);
  useEffect(() => setText(subject), [subject]);
  const submit = (event) => {
    event.preventDefault();
    if (text.trim() !== '') location.hash = `#/entries/${encodeURIComponent(text.trim())}`;
  };
  return html`<form class="ask" onSubmit=${submit} role="search">
    <label class="ask-field"><${Icon} name="shield" size="20" /><span class="offscreen">Domain or address</span>
      <input type="text" autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="320" placeholder="example.com"
        value=${text} onInput=${(e) => setText(e.target.value)} /></label>
    <button type="submit" class="button primary big"><span>Test</span><${Icon} name="arrow" /></button></form>`;
}

export function OwnListsView({ subject }) {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/v1/lists', { signal }), []);
  const [chosen, setChosen] = useState('disposable');
  const [round, setRound] = useState(0);
  const list = data?.lists.find((one) => one.list === chosen);
  const changed = () => {
    setRound((n) => n + 1);
    reload();
  };
  return html`<${PageHead} title="Lists" text="Which domains count as disposable or free, which names as roles, and your own entries over ours." />
    <${Ask} subject=${subject} />
    ${subject && html`<${Test} key=${subject} subject=${subject} round=${round} />`}
    <${Trouble} problem=${problem} retry=${reload} />${!data && !problem && html`<${Loading} />`}
    ${data && html`<${Table} lists=${data.lists} chosen=${chosen} choose=${setChosen} />`}
    ${data && (data.takes_own_entries ? html`<${Own} key=${chosen} list=${list} changed=${changed} />`
      : html`<${Empty} icon="shield" title="No folder for your own"><p>The setting <code>lists</code> of the server names one.</p><//>`)}`;
}
