// app/lists: watched lists: addresses that are checked again on a schedule, and what changed.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useRef, useState } from './html.js';
import { call, path } from './api.js';
import { Button, Card, Confirm, Empty, Facts, Icon, isMissing, Loading, PageHead, Progress, StateBadge, StatusBadge, Trouble, useLoad } from './parts.js';
import { ago, count, date, duration } from './format.js';
import { LIST_STATE, stateOf, subSentence } from './words.js';

const PERIOD_MS = 5000;
const DAY = 86400;
const SCHEDULES = [[DAY, 'Each day'], [7 * DAY, 'Each week'], [30 * DAY, 'Each month'], [90 * DAY, 'Each quarter']];

function scheduleText(every_s) {
  return SCHEDULES.find(([s]) => s === every_s)?.[1] ?? `Every ${duration(every_s)}`;
}

/** A new list out of a batch. */
function NewList({ onClose, onDone }) {
  const ref = useRef(null);
  const [batches, setBatches] = useState(null);
  const [values, setValues] = useState({ batch: '', label: '', every_s: 7 * DAY });
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    ref.current.showModal();
    call('GET', '/v1/batches?limit=50').then((answer) => {
      setBatches(answer.batches);
      setValues((old) => ({ ...old, batch: answer.batches[0]?.id ?? '' }));
    }).catch(setProblem);
  }, []);
  const set = (name, value) => setValues((old) => ({ ...old, [name]: value }));
  const submit = async (event) => {
    event.preventDefault();
    try {
      onDone(await call('POST', '/v1/watches', { body: { batch: values.batch, every: `${values.every_s / DAY}d`, label: values.label.trim() || undefined } }));
      ref.current.close();
    } catch (trouble) {
      setProblem(trouble);
    }
  };
  return html`<dialog ref=${ref} class="dialog" onClose=${onClose} aria-labelledby="new-list"><form onSubmit=${submit}>
    <h2 id="new-list">Watch a list</h2><p>Its addresses are checked again on a schedule. Only those whose answer has grown old are asked.</p>
    <${Trouble} problem=${problem} />
    ${batches?.length === 0 && html`<p><strong>There is no batch yet.</strong> Check a list first, then watch it.</p>`}
    <label class="field"><span>Addresses of</span><select value=${values.batch} onChange=${(e) => set('batch', e.target.value)}>
      ${(batches ?? []).map((b) => html`<option value=${b.id}>${b.label || b.file_name || b.id} (${count(b.counts.addresses)})</option>`)}</select></label>
    <label class="field"><span>Label</span><input value=${values.label} maxlength="200" onInput=${(e) => set('label', e.target.value)} /></label>
    <label class="field"><span>How often</span><select value=${values.every_s} onChange=${(e) => set('every_s', Number(e.target.value))}>
      ${SCHEDULES.map(([s, text]) => html`<option value=${s} selected=${s === values.every_s}>${text}</option>`)}</select></label>
    <div class="actions end"><${Button} onClick=${() => ref.current.close()}>Cancel<//>
      <button type="submit" class="button primary" disabled=${values.batch === ''}><span>Watch it</span></button></div></form></dialog>`;
}

export function ListsView() {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/v1/watches?limit=100', { signal }), [], PERIOD_MS);
  const [is_new, setNew] = useState(false);
  return html`<${PageHead} title="Watched lists" text="Lists that are checked again on a schedule; what changed is reported.">
      ${data && html`<${Button} kind="primary" icon="plus" onClick=${() => setNew(true)}>Watch a list<//>`}<//>
    ${isMissing(problem) ? html`<${Empty} icon="eye" title="This server watches no lists"><p>Its version or its settings do not offer it.</p><//>`
      : html`<${Trouble} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} />`}
    ${data?.watches.length === 0 && html`<${Empty} icon="eye" title="Nothing is watched yet">
      <p>People change jobs, mailboxes fill up, domains lapse. Watch a list to learn of it in time.</p><//>`}
    ${data?.watches.length > 0 && html`<ul class="card rows">${data.watches.map((list) => html`<li key=${list.id}>
      <a class="batch-row" href=${`#/lists/${encodeURIComponent(list.id)}`}>
      <div class="batch-name"><strong class="breaks">${list.label || list.id}</strong>
        <span class="muted">${count(list.addresses)} addresses · ${scheduleText(list.every_s)}</span></div>
      <${StateBadge} state=${stateOf(LIST_STATE, list.state)} />
      <div class="batch-bar"><span>${list.changed > 0 ? html`<b>${count(list.changed)}</b> changed` : 'No changes'}</span>
        <span class="muted">${list.next_at ? `next ${ago(list.next_at)}` : ''}</span></div></a></li>`)}</ul>`}
    ${is_new && html`<${NewList} onClose=${() => setNew(false)} onDone=${reload} />`}`;
}

function Changes({ id, last_at }) {
  const { data, problem } = useLoad((signal) => call('GET', `${path('watches', id, 'changes')}?limit=100`, { signal }), [id, last_at]);
  return html`<${Card} title="What changed"><${Trouble} problem=${problem} />
    ${!data && !problem && html`<${Loading} />`}
    ${data?.changes.length === 0 && html`<p class="muted pad">Nothing changed since the list is watched.</p>`}
    ${data?.changes.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Changes"><table class="table">
      <thead><tr><th scope="col">Address</th><th scope="col">Before</th><th scope="col">Now</th><th scope="col">Reason</th><th scope="col">When</th></tr></thead>
      <tbody>${data.changes.map((c) => html`<tr><td class="address"><a href=${`#/check/${encodeURIComponent(c.email)}`}>${c.email}</a></td>
        <td><${StatusBadge} status=${c.before?.status} /></td><td><${StatusBadge} status=${c.after?.status} /></td>
        <td>${c.after ? subSentence(c.after) : '–'}</td><td><time datetime=${c.at}>${ago(c.at)}</time></td></tr>`)}</tbody></table></div>`}<//>`;
}

export function ListView({ id }) {
  const { data: list, problem, reload, set } = useLoad((signal) => call('GET', path('watches', id), { signal }), [id], PERIOD_MS);
  const [trouble, setTrouble] = useState(null);
  const [is_asked, setAsked] = useState(false);
  const act = async (method, verb) => {
    setTrouble(null);
    try {
      const answer = await call(method, verb ? `${path('watches', id)}/${verb}` : path('watches', id));
      if (method === 'DELETE') location.hash = '#/lists';
      else if (answer?.id) set(answer);
    } catch (cause) {
      setTrouble(cause);
    }
  };
  const crumb = html`<a class="crumb" href="#/lists"><${Icon} name="back" size="16" />Watched lists</a>`;
  if (!list) return html`${crumb}${problem ? html`<${Trouble} problem=${problem} retry=${reload} />` : html`<${Loading} />`}`;
  return html`${crumb}
    <${PageHead} title=${list.label || list.id} text=${`${count(list.addresses)} addresses · ${scheduleText(list.every_s)}`}>
      <${Button} icon="repeat" disabled=${list.state === 'running'} onClick=${() => act('POST', 'run')}>Check now<//>
      ${list.paused ? html`<${Button} icon="play" onClick=${() => act('POST', 'resume')}>Resume<//>`
        : html`<${Button} icon="pause" onClick=${() => act('POST', 'pause')}>Pause<//>`}
      <${Button} kind="danger-quiet" icon="trash" onClick=${() => setAsked(true)}>Stop watching<//><//>
    <${Trouble} problem=${trouble ?? problem} />
    <${Card}><div class="row"><${StateBadge} state=${stateOf(LIST_STATE, list.state)} /></div>
      ${list.state === 'running' && html`<${Progress} value=${list.checked ?? 0} total=${list.addresses} label="Addresses checked again" />`}
      <${Facts} items=${[['Last check', list.last_at && date(list.last_at)], ['Next check', list.next_at && `${date(list.next_at)} (${ago(list.next_at)})`],
        ['Asked then', list.last_at && count(list.asked)], ['Changed then', list.last_at && count(list.changed)], ['Trouble', list.cause],
        ['Webhook', list.webhook && html`<span class="breaks">${list.webhook}</span>`]]} /><//>
    <${Changes} id=${id} last_at=${list.last_at} />
    ${is_asked && html`<${Confirm} title="Stop watching this list?" action="Stop watching" onClose=${() => setAsked(false)} onYes=${() => act('DELETE')}
      text="The schedule and the record of changes are removed. Verdicts that are still good stay known." />`}`;
}
