// app/batches: the lists that were handed in, newest first, and the place where a new one is dropped.
// SPDX-License-Identifier: Apache-2.0
import { html, useState } from './html.js';
import { call, query } from './api.js';
import { Button, Empty, isMissing, Loading, PageHead, StateBadge, StatusBar, Trouble, useLoad } from './parts.js';
import { Upload } from './upload.js';
import { ago, count, percent } from './format.js';
import { BATCH_STATE, stateOf } from './words.js';

const PAGE = 20;
const PERIOD_MS = 3000;

function Row({ batch }) {
  const is_over = ['done', 'cancelled', 'failed'].includes(batch.state);
  const { done, addresses } = batch.counts;
  return html`<li><a class="batch-row" href=${`#/batches/${encodeURIComponent(batch.id)}`}>
    <div class="batch-name"><strong class="breaks">${batch.label || batch.file_name || batch.id}</strong>
      <span class="muted">${[batch.label ? batch.file_name : null, ago(batch.created_at)].filter(Boolean).join(' · ')}</span></div>
    <${StateBadge} state=${stateOf(BATCH_STATE, batch.state)} />
    <div class="batch-bar"><${StatusBar} statuses=${batch.statuses} total=${addresses} label=${batch.label || batch.file_name} />
      <span class="muted">${is_over ? `${count(done)} addresses` : `${count(done)} of ${count(addresses)} · ${percent(done, addresses)}`}</span></div>
  </a></li>`;
}

export function BatchesView() {
  const [cursors, setCursors] = useState([null]); // of the pages up to this one
  const cursor = cursors.at(-1);
  const { data, problem, reload } = useLoad((signal) => call('GET', `/v1/batches${query({ limit: PAGE, before: cursor })}`, { signal }), [cursor], PERIOD_MS);
  const opened = (batch) => { location.hash = `#/batches/${encodeURIComponent(batch.id)}`; };
  return html`<${PageHead} title="Batches" text="Check a whole list. All its columns come back, with the verdict beside them." />
    ${!isMissing(problem) && html`<${Upload} onDone=${opened} />`}
    <section class="below" aria-label="All batches">
      ${isMissing(problem) ? html`<${Empty} icon="list" title="This server takes no lists"><p>Its version or its settings do not offer it.</p><//>`
        : html`<${Trouble} problem=${problem} retry=${reload} />`}
      ${!data && !problem && html`<${Loading} />`}
      ${data && data.batches.length === 0 && cursors.length === 1 && html`
        <${Empty} icon="list" title="No batches yet"><p>The first list that you drop above will appear here.</p><//>`}
      ${data && data.batches.length > 0 && html`<ul class="card rows">${data.batches.map((batch) => html`<${Row} key=${batch.id} batch=${batch} />`)}</ul>`}
      ${data && (cursors.length > 1 || data.next) && html`<nav class="pager" aria-label="Pages">
        <${Button} icon="back" disabled=${cursors.length === 1} onClick=${() => setCursors(cursors.slice(0, -1))}>Newer<//>
        <span class="muted">Page ${cursors.length}</span>
        <${Button} icon="arrow" disabled=${!data.next} onClick=${() => setCursors([...cursors, data.next])}>Older<//></nav>`}
    </section>`;
}
