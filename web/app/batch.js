// app/batch: one batch while it runs and after: progress, charts, results by status, downloads, pause and the rest.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useMemo, useState } from './html.js';
import { call, callLines, download, path, query, stream } from './api.js';
import { Button, Card, Confirm, Facts, Icon, Loading, PageHead, Progress, Segments, StateBadge, StatusBadge, StatusBar, Trouble } from './parts.js';
import { TimeChart } from './chart.js';
import { ago, count, date, duration, percent, rate, size } from './format.js';
import { byProvider, byStatus, providersOf, timelineAdd, timelineOf } from './timeline.js';
import { BATCH_STATE, STATUS, STATUSES, stateOf, subSentence } from './words.js';

const SAMPLE = 25;
const SHOWN_MAX = 1000; // rows one can page through here; the file has the rest
const AGAIN_MS = [1000, 2000, 5000, 10000];
const FINAL = ['done', 'cancelled', 'failed'];
const PROVIDERS_MAX = 5;
const RECORDS_MAX = 5000;
const WATCHED_POINTS = 5; // fewer: the batch was over, or nearly so, when the page was opened

/** A row of the results is the record, or has it beside the columns of the list. */
function recordOf(row) {
  return row.heloise ?? row;
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

/** Follows a batch by its event stream, which is opened again when it breaks; heard(batch). */
async function follow(id, heard, lost, signal) {
  for (let failures = 0; !signal.aborted; failures++) {
    let is_over = false;
    try {
      await stream(`${path('batches', id)}/events`, (type, batch) => {
        failures = 0;
        if (type === 'progress' || type === 'over') heard(batch);
        is_over = is_over || type === 'over';
      }, { signal });
      if (is_over) return;
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) throw problem;
    }
    if (!signal.aborted) lost();
    await pause(AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)], signal);
  }
}

function useBatch(id) {
  const [state, setState] = useState({ batch: null, points: [], problem: null, is_live: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const heard = (batch) => {
      if (stop.signal.aborted || !batch?.id) return;
      setState((old) => ({ batch, points: timelineAdd(old.points, batch, Date.now()), problem: null, is_live: true }));
    };
    const lost = () => setState((old) => ({ ...old, is_live: false }));
    call('GET', path('batches', id), { signal: stop.signal })
      .then((batch) => {
        heard(batch);
        return FINAL.includes(batch.state) ? null : follow(id, heard, lost, stop.signal);
      })
      .catch((problem) => problem.name !== 'AbortError' && setState((old) => ({ ...old, problem })));
    return () => stop.abort();
  }, [id, round]);
  return { ...state, set: (batch) => setState((old) => ({ ...old, batch })), reload: () => setRound((n) => n + 1) };
}

/** What became of the rows that are no addresses of their own. */
function restText({ rows, addresses, bad_rows, no_address }) {
  const repeated = rows - addresses - bad_rows - no_address;
  return [repeated > 0 && `${count(repeated)} repeated`, no_address > 0 && `${count(no_address)} without address`,
    bad_rows > 0 && `${count(bad_rows)} unreadable`].filter(Boolean).join(', ');
}

function Numbers({ batch }) {
  const is_over = FINAL.includes(batch.state);
  const took = batch.finished_at ? (Date.parse(batch.finished_at) - Date.parse(batch.created_at)) / 1000 : null;
  const cells = [
    ['Checked', count(batch.counts.done), batch.counts.addresses > 0 ? `of ${count(batch.counts.addresses)}` : ''],
    is_over ? ['Took', duration(took), date(batch.finished_at)] : ['Rate', batch.state === 'running' ? rate(batch.per_second) : '–', 'addresses'],
    is_over ? ['Rows', count(batch.counts.rows), restText(batch.counts)]
      : ['Time left', batch.state === 'running' ? duration(batch.seconds_left) : '–', batch.seconds_left > 0 && batch.state === 'running'
        ? `until ${date(new Date(Date.now() + batch.seconds_left * 1000).toISOString()).split(', ').at(-1)}` : ''],
    ['Deliverable', percent(batch.statuses?.deliverable ?? 0, batch.counts.done), `${count(batch.statuses?.deliverable ?? 0)} addresses`],
  ];
  return html`<dl class="numbers">${cells.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}</dd><dd class="more">${more}</dd>
    </div>`)}</dl>`;
}

/** Records of the first rows, for the time line of a batch that was over when the page was opened. */
function useRecords(batch, is_wanted) {
  const [records, setRecords] = useState(null);
  useEffect(() => {
    if (!is_wanted) return undefined;
    const stop = new AbortController();
    callLines(`${path('batches', batch.id)}/results${query({ format: 'ndjson', finished_rows_only: true })}`, 0, RECORDS_MAX, { signal: stop.signal })
      .then((rows) => setRecords(rows.map(recordOf))).catch(() => {});
    return () => stop.abort();
  }, [batch.id, is_wanted]);
  return records;
}

function Charts({ batch, points }) {
  const [by, setBy] = useState('status');
  const was_watched = points.length > WATCHED_POINTS;
  const records = useRecords(batch, !was_watched && FINAL.includes(batch.state));
  const kept = useMemo(() => timelineOf(records ?? [], batch.created_at), [records]);
  const shown = was_watched || records === null ? points : kept;
  const status = byStatus(shown);
  const provider = byProvider(shown, PROVIDERS_MAX);
  const is_part = shown === kept && records !== null && records.length < batch.counts.done;
  return html`<${Card} title="Over time" actions=${html`<${Segments} label="Chart by" value=${by}
      options=${[['status', 'By status'], ['provider', 'By provider']]} onChange=${setBy} />`}>
    ${by === 'status' ? html`<${TimeChart} key="status" label="Addresses by status over time" is_stacked=${true} times=${status.times}
        series=${STATUSES.map((s) => ({ label: STATUS[s].text, colour: s, values: status.series[s] }))} />`
      : html`<${TimeChart} key="provider" label="Addresses by provider over time" times=${provider.times}
          series=${Object.entries(provider.series).map(([name, values], i) => ({ label: name, colour: `series-${i + 1}`, values }))} />`}
    ${is_part && html`<p class="muted small">Of ${count(records.length)} of ${count(batch.counts.done)} results.</p>`}
    ${by === 'provider' && html`<${Providers} providers=${providersOf(batch)} />`}<//>`;
}

function Providers({ providers }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Results by provider"><table class="table">
    <thead><tr><th scope="col">Provider</th><th scope="col" class="num">Checked</th><th scope="col" class="wide">Result</th>
      <th scope="col" class="num">Deliverable</th></tr></thead>
    <tbody>${providers.map((p) => html`<tr><th scope="row">${p.name}</th><td class="num">${count(p.done)}</td>
      <td><${StatusBar} statuses=${p} label=${p.name} /></td><td class="num">${percent(p.deliverable ?? 0, p.done)}</td></tr>`)}</tbody></table></div>`;
}

function Filters({ batch, chosen, onChange }) {
  const toggle = (status) => onChange(chosen.includes(status) ? chosen.filter((s) => s !== status) : [...chosen, status]);
  return html`<div class="filters" role="group" aria-label="Show results that are">
    <button type="button" class="chip" aria-pressed=${String(chosen.length === 0)} onClick=${() => onChange([])}>All <b>${count(batch.counts.done)}</b></button>
    ${STATUSES.map((s) => html`<button type="button" class=${`chip ${s}`} aria-pressed=${String(chosen.includes(s))} onClick=${() => toggle(s)}>
      <i class="dot"></i>${STATUS[s].text} <b>${count(batch.statuses?.[s] ?? 0)}</b></button>`)}</div>`;
}

function Downloads({ batch, chosen }) {
  const [problem, setProblem] = useState(null);
  const name = `${(batch.file_name || batch.id).replace(/\.[a-z0-9]+$/i, '')}${chosen.length > 0 ? `-${chosen.join('-')}` : ''}-checked`;
  const take = (format) => {
    setProblem(null);
    download(`${path('batches', batch.id)}/results${query({ format, status: chosen.join(','), finished_rows_only: chosen.length > 0 })}`, `${name}.${format}`).catch(setProblem);
  };
  return html`<div class="downloads"><span class="muted"><${Icon} name="download" size="16" /> Download</span>
    ${['csv', 'ndjson', 'xlsx'].map((format) => html`<${Button} onClick=${() => take(format)}
      aria-label=${`Download as ${format.toUpperCase()}`}>${format.toUpperCase()}<//>`)}<${Trouble} problem=${problem} /></div>`;
}

function useSample(batch, chosen, offset) {
  const [state, setState] = useState({ rows: null, problem: null });
  const step = FINAL.includes(batch.state) ? batch.state : Math.floor(Date.now() / 3000); // a running batch brings news every 3 s
  const wanted = `${batch.counts.done > 0}`;
  useEffect(() => {
    const stop = new AbortController();
    const url = `${path('batches', batch.id)}/results${query({ format: 'ndjson', status: chosen.join(','), finished_rows_only: true })}`;
    callLines(url, offset, SAMPLE, { signal: stop.signal })
      .then((rows) => setState({ rows: rows.map(recordOf), problem: null }))
      .catch((problem) => problem.name !== 'AbortError' && setState((old) => ({ ...old, problem })));
    return () => stop.abort();
  }, [batch.id, chosen.join(), offset, step, wanted]);
  return state;
}

function Results({ batch }) {
  const [chosen, setChosen] = useState([]);
  const [offset, setOffset] = useState(0);
  const { rows, problem } = useSample(batch, chosen, offset);
  const total = chosen.length === 0 ? batch.counts.done : chosen.reduce((sum, s) => sum + (batch.statuses?.[s] ?? 0), 0);
  const choose = (statuses) => {
    setChosen(statuses);
    setOffset(0);
  };
  return html`<${Card} title="Results" actions=${html`<${Downloads} batch=${batch} chosen=${chosen} />`}>
    <${Filters} batch=${batch} chosen=${chosen} onChange=${choose} />
    <${Trouble} problem=${problem} />
    ${rows === null && !problem && html`<${Loading} />`}
    ${rows?.length === 0 && html`<p class="muted pad">${batch.counts.done === 0 ? 'No results yet.' : 'No results of this kind.'}</p>`}
    ${rows?.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Sample of the results"><table class="table results">
      <thead><tr><th scope="col">Address</th><th scope="col">Status</th><th scope="col" class="num">Score</th><th scope="col">Reason</th><th scope="col">Provider</th></tr></thead>
      <tbody>${rows.map((r) => html`<tr><td class="address"><a href=${`#/check/${encodeURIComponent(r.email ?? '')}`}>${r.email}</a></td>
        <td><${StatusBadge} status=${r.status} /></td><td class="num">${r.score}</td><td class="reason">${subSentence(r)}</td>
        <td class="provider">${r.provider?.label ?? r.provider?.name ?? '–'}</td></tr>`)}</tbody></table></div>`}
    ${(offset > 0 || rows?.length === SAMPLE) && html`<nav class="pager" aria-label="Pages of results">
      <${Button} icon="back" disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - SAMPLE))}>Back<//>
      <span class="muted">${count(offset + 1)} to ${count(offset + (rows?.length ?? 0))} of ${count(total)}</span>
      <${Button} icon="arrow" disabled=${rows?.length < SAMPLE || offset + SAMPLE >= Math.min(total, SHOWN_MAX)} onClick=${() => setOffset(offset + SAMPLE)}>Next<//></nav>`}<//>`;
}

function Actions({ batch, set, reload, onProblem }) {
  const [asked, setAsked] = useState(null); // 'cancel' or 'delete'
  const [is_busy, setBusy] = useState(false);
  const act = async (work) => {
    setBusy(true);
    onProblem(null);
    try {
      await work();
    } catch (problem) {
      onProblem(problem);
    }
    setBusy(false);
  };
  const post = (verb) => act(async () => {
    const answer = await call('POST', `${path('batches', batch.id)}/${verb}`);
    if (answer?.id) set(answer);
    reload();
  });
  const remove = () => act(async () => {
    await call('DELETE', path('batches', batch.id));
    location.hash = '#/batches';
  });
  const is_over = FINAL.includes(batch.state);
  return html`
    ${batch.state === 'running' && html`<${Button} icon="pause" disabled=${is_busy} onClick=${() => post('pause')}>Pause<//>`}
    ${batch.state === 'paused' && html`<${Button} kind="primary" icon="play" disabled=${is_busy} onClick=${() => post('resume')}>Resume<//>`}
    ${!is_over && html`<${Button} icon="stop" disabled=${is_busy} onClick=${() => setAsked('cancel')}>Cancel<//>`}
    <${Button} kind="danger-quiet" icon="trash" disabled=${is_busy} onClick=${() => setAsked('delete')}>Delete<//>
    ${asked === 'cancel' && html`<${Confirm} title="Cancel this batch?" action="Cancel the batch" onClose=${() => setAsked(null)} onYes=${() => post('cancel')}
      text="What is checked stays and can be downloaded. The rest is not asked, and this cannot be resumed." />`}
    ${asked === 'delete' && html`<${Confirm} title="Delete this batch?" action="Delete for good" onClose=${() => setAsked(null)} onYes=${remove}
      text="The list and its results are removed from the server. There is no way back." />`}`;
}

/** Told to a screen reader: the state, and each tenth of the way. */
function Live({ batch }) {
  const tenth = batch.counts.addresses > 0 ? Math.floor((batch.counts.done / batch.counts.addresses) * 10) * 10 : 0;
  return html`<p class="offscreen" role="status" aria-live="polite">${stateOf(BATCH_STATE, batch.state).text}, ${tenth} % checked</p>`;
}

export function BatchView({ id }) {
  const { batch, points, problem, is_live, set, reload } = useBatch(id);
  const [trouble, setTrouble] = useState(null);
  if (!batch) {
    return html`<a class="crumb" href="#/batches"><${Icon} name="back" size="16" />Batches</a>
      ${problem ? html`<${Trouble} problem=${problem} retry=${reload} />` : html`<${Loading} />`}`;
  }
  const is_over = FINAL.includes(batch.state);
  const about = [batch.label ? batch.file_name : null, batch.column ? `column ${batch.column}` : null, `handed in ${ago(batch.created_at)}`];
  return html`<a class="crumb" href="#/batches"><${Icon} name="back" size="16" />Batches</a>
    <${PageHead} title=${batch.label || batch.file_name || batch.id} text=${about.filter(Boolean).join(' · ')}>
      <${Actions} batch=${batch} set=${set} reload=${reload} onProblem=${setTrouble} /><//>
    <${Live} batch=${batch} />
    <${Trouble} problem=${trouble ?? problem} />
    ${batch.cause && html`<${Trouble} problem=${{ title: 'The batch failed', detail: batch.cause }} />`}
    <${Card} class="progress-card">
      <div class="row"><${StateBadge} state=${stateOf(BATCH_STATE, batch.state)} />
        ${!is_live && html`<span class="muted small"><span class="spinner"></span> The connection is lost; trying again</span>`}
        <span class="grow"></span><span class="big-percent">${is_over ? '' : percent(batch.counts.done, batch.counts.addresses)}</span></div>
      ${batch.state === 'loading' ? html`<${Progress} label="Reading the list" />`
        : html`<div class="offscreen"><${Progress} value=${batch.counts.done} total=${batch.counts.addresses} label="Addresses checked" /></div>
          <${StatusBar} statuses=${batch.statuses} total=${batch.counts.addresses} label="Results" />`}
      <${Numbers} batch=${batch} /><//>
    ${batch.counts.done > 0 && html`<${Charts} batch=${batch} points=${points} />`}
    <${Results} batch=${batch} />
    <${Card} title="About"><${Facts} items=${[['Batch', html`<code>${batch.id}</code>`], ['Size', size(batch.bytes)], ['Rows', count(batch.counts.rows)],
      ['Addresses', count(batch.counts.addresses)], ['Handed in', date(batch.created_at)],
      ['Finished', batch.finished_at && date(batch.finished_at)], ['Webhook', batch.webhook && html`<span class="breaks">${batch.webhook}</span>`]]} /><//>`;
}
