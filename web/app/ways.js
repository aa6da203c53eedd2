// app/ways: the ways out and the far ends: limits, what is under way and how each fares at the moment. Small charts are
// drawn from what was seen since the view was opened.
// SPDX-License-Identifier: Apache-2.0
import { html, useRef } from './html.js';
import { call } from './api.js';
import { Card, Empty, Facts, isMissing, Loading, PageHead, Sparkline, StateBadge, Trouble, useLoad } from './parts.js';
import { count, duration, plural } from './format.js';
import { HEALTH, classText, stateOf } from './words.js';

const PERIOD_MS = 5000;
const POINTS_MAX = 60;
const SITES_LOADED = 1000;
const SITES_MAX = 100; // shown
const WORST_FIRST = ['blocked', 'trying', 'recovering', 'well'];

/** The last values of each named thing, one for each load. */
function useTrail(items, name_of, value_of) {
  const trail = useRef({ of: null, values: new Map() });
  if (items && trail.current.of !== items) {
    const values = new Map();
    for (const item of items) {
      const name = name_of(item);
      values.set(name, [...(trail.current.values.get(name) ?? []), value_of(item)].slice(-POINTS_MAX));
    }
    trail.current = { of: items, values };
  }
  return (name) => trail.current.values.get(name) ?? [];
}

/** How much of a limit is used, as a bar and in numbers. */
function Gauge({ label, used, most, is_bad = false }) {
  const part = most > 0 ? Math.min(1, used / most) : 0;
  const tone = is_bad && part > 0.5 ? 'undeliverable' : part === 1 || (is_bad && part > 0) ? 'risky' : 'accent';
  return html`<div class="gauge"><span>${label}</span><span class="muted">${count(used)} of ${count(most)}</span>
    <span class=${`gauge-bar ${tone}`} role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax=${most} aria-valuenow=${Math.min(used, most)}>
      <i style=${{ width: `${part * 100}%` }}></i></span></div>`;
}

function egressState(egress) {
  if (egress.budget > 0 && egress.asked_24h >= egress.budget) return { text: 'Budget used up', tone: 'risky' };
  if (egress.blocked_sites > 0) return { text: `Blocked at ${egress.blocked_sites}`, tone: 'risky' };
  return { text: 'Well', tone: 'deliverable' };
}

function sourceText(egress) {
  const sources = [egress.source_v4, egress.source_v6].filter(Boolean);
  return sources.length > 0 ? sources.join(', ') : 'as the system chooses';
}

function Egress({ egress, paths, trail }) {
  const open = paths.reduce((sum, path) => sum + path.open, 0);
  return html`<${Card} class="egress" title=${egress.name} actions=${html`<${StateBadge} state=${egressState(egress)} />`}>
    <div class="egress-chart"><${Sparkline} values=${trail} width="280" height="44"
      label=${`Addresses asked through ${egress.name} in each ${PERIOD_MS / 1000} s`} />
      <span class="muted small">${plural(open, 'connection')} now · ${plural(egress.asked_24h, 'address', 'addresses')} in 24 h</span></div>
    ${egress.budget > 0 && html`<${Gauge} label="Of the day’s budget" used=${egress.asked_24h} most=${egress.budget} />`}
    ${paths.length > 0 && html`<${Gauge} label="Far ends where it is not well" used=${egress.blocked_sites} most=${paths.length} is_bad=${true} />`}
    <${Facts} items=${[['EHLO name', egress.helo], ['Source', egress.proxy ? null : sourceText(egress)], ['Proxy', egress.proxy && 'yes'],
      ['Weight', egress.weight]]} /><//>`;
}

/** From the counts of a day to what came between two loads. */
function steps(values) {
  return values.slice(1).map((value, i) => Math.max(0, value - values[i]));
}

function Egresses({ loaded, sites }) {
  const { data, problem, reload } = loaded;
  const trail = useTrail(data?.egresses, (egress) => egress.name, (egress) => egress.asked_24h ?? 0);
  const pathsOf = (name) => (sites ?? []).flatMap((site) => site.paths.filter((path) => path.egress === name));
  if (isMissing(problem)) return html`<p class="muted">This server does not show its ways out.</p>`;
  return html`<section aria-label="Ways out"><${Trouble} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} />`}
    <div class="cards">${data?.egresses.map((egress) => html`<${Egress} key=${egress.name} egress=${egress} paths=${pathsOf(egress.name)}
      trail=${steps(trail(egress.name))} />`)}</div></section>`;
}

function Paths({ paths }) {
  return html`<ul class="paths">${paths.map((path) => html`<li><${StateBadge} state=${stateOf(HEALTH, path.health)} />
    <span class="muted small">${path.egress}${path.again_in > 0 ? `, again in ${duration(path.again_in)}` : ''}</span></li>`)}</ul>`;
}

function SiteRow({ site, trail }) {
  const refused = site.paths.reduce((sum, path) => sum + path.refused_last_hour, 0);
  const { limits, provider } = site;
  return html`<tr><th scope="row"><span class="breaks">${provider?.label ?? classText(provider?.class)}</span>
      <span class="muted small block breaks">${site.site}</span></th>
    <td><${Paths} paths=${site.paths} /></td>
    <td><${Sparkline} values=${trail} label=${`Connections to ${site.site}, now ${site.open}`} /></td>
    <td class="num">${count(site.open)}${limits?.connections > 0 ? ` / ${count(limits.connections)}` : ''}</td>
    <td class="num">${count(refused)}${limits?.invalids_per_hour > 0 ? ` / ${count(limits.invalids_per_hour)}` : ''}</td>
    <td class="num">${count(limits?.rcpts_per_connection)}</td></tr>`;
}

/** The worst of its paths first, then the busiest. */
function inOrder(sites) {
  const rank = (site) => Math.min(...site.paths.map((path) => WORST_FIRST.indexOf(path.health)), WORST_FIRST.length);
  return [...sites].sort((a, b) => rank(a) - rank(b) || b.open - a.open).slice(0, SITES_MAX);
}

function Sites({ loaded }) {
  const { data, problem, reload } = loaded;
  const trail = useTrail(data?.sites, (site) => site.site, (site) => site.open ?? 0);
  const shown = inOrder(data?.sites ?? []);
  return html`<${Card} title="Far ends" actions=${data && html`<span class="muted small">${plural(data.sites.length, 'far end')} met since the start</span>`}>
    ${isMissing(problem) ? html`<p class="muted">This server does not show them.</p>` : html`<${Trouble} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} />`}
    ${data && shown.length === 0 && html`<${Empty} icon="server" title="No mail servers yet">
      <p>Those that are asked will appear here, with their limits and how they answer.</p><//>`}
    ${shown.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Far ends"><table class="table sites">
      <thead><tr><th scope="col">Far end</th><th scope="col">Health</th><th scope="col">Connections</th><th scope="col" class="num">Now</th>
        <th scope="col" class="num">Refused / h</th><th scope="col" class="num">RCPTs each</th></tr></thead>
      <tbody>${shown.map((site) => html`<${SiteRow} key=${site.site} site=${site} trail=${trail(site.site)} />`)}</tbody></table></div>`}
    ${data && (data.next || data.sites.length > shown.length) && html`<p class="muted small">There are more; the worst and the busiest are shown.</p>`}<//>`;
}

export function WaysView() {
  const egresses = useLoad((signal) => call('GET', '/v1/egresses', { signal }), [], PERIOD_MS);
  const sites = useLoad((signal) => call('GET', `/v1/sites?limit=${SITES_LOADED}`, { signal }), [], PERIOD_MS);
  return html`<${PageHead} title="Ways out" text="Where questions leave from, and how the mail servers on the other side take them." />
    <${Egresses} loaded=${egresses} sites=${sites.data?.sites} /><${Sites} loaded=${sites} />`;
}
