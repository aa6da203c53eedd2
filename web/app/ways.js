// app/ways: the ways out and the far ends: state, limits and how they fare at the moment. Small charts are drawn from what
// was seen since the view was opened.
// SPDX-License-Identifier: Apache-2.0
import { html, useRef } from './html.js';
import { call } from './api.js';
import { Card, Empty, Facts, Loading, PageHead, Sparkline, StateBadge, Trouble, useLoad } from './parts.js';
import { ago, count, millis, percent } from './format.js';
import { EGRESS_STATE, SITE_STATE, stateOf } from './words.js';

const PERIOD_MS = 5000;
const POINTS_MAX = 60;

/** The last values of each named thing, one for each load. */
function useTrail(items, name_of, value_of) {
  const trail = useRef({ of: null, values: new Map() });
  if (items && trail.current.of !== items) {
    trail.current.of = items;
    for (const item of items) {
      const values = trail.current.values.get(name_of(item)) ?? [];
      trail.current.values.set(name_of(item), [...values, value_of(item)].slice(-POINTS_MAX));
    }
  }
  return (name) => trail.current.values.get(name) ?? [];
}

/** How much of a limit is used, as a bar and in numbers. */
function Gauge({ label, used, most, is_bad = false }) {
  const part = most > 0 ? Math.min(1, used / most) : 0;
  const tone = is_bad && part > 0.5 ? 'undeliverable' : part === 1 || (is_bad && part > 0) ? 'risky' : 'accent';
  return html`<div class="gauge"><span>${label}</span><span class="muted">${count(used)}${most > 0 ? ` of ${count(most)}` : ''}</span>
    <span class=${`gauge-bar ${tone}`} role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax=${most || 1} aria-valuenow=${Math.min(used ?? 0, most || 1)}>
      <i style=${{ width: `${part * 100}%` }}></i></span></div>`;
}

function Egress({ egress, trail }) {
  const sites = (egress.sites_open ?? 0) + (egress.sites_closed ?? 0);
  return html`<${Card} class="egress" level="3" title=${egress.name} actions=${html`<${StateBadge} state=${stateOf(EGRESS_STATE, egress.state)} />`}>
    ${egress.state !== 'disabled' && html`<div class="egress-chart">
      <${Sparkline} values=${trail} width="280" height="44" label=${`Connections of ${egress.name} in the last minutes, now ${egress.connections ?? 0}`} />
      <span class="muted small">${count(egress.connections ?? 0)} connections now</span></div>`}
    ${egress.budget > 0 && html`<${Gauge} label="Used today" used=${egress.used_today} most=${egress.budget} />`}
    ${egress.warm_up && html`<${Gauge} label=${`Warm-up, day ${egress.warm_up.day}`} used=${egress.used_today} most=${egress.warm_up.allowance} />`}
    ${sites > 0 && html`<${Gauge} label="Closed at far ends" used=${egress.sites_closed} most=${sites} is_bad=${true} />`}
    <${Facts} items=${[['EHLO name', egress.helo], ['Sender', egress.mail_from === '' ? '<>' : egress.mail_from],
      ['Source', [egress.source_v4, egress.source_v6].filter(Boolean).join(', ') || (egress.proxy ? null : 'as the system chooses')],
      ['Proxy', egress.proxy], ['Weight', egress.weight]]} /><//>`;
}

function Egresses() {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/v1/egresses', { signal }), [], PERIOD_MS);
  const trail = useTrail(data?.egresses, (e) => e.name, (e) => e.connections ?? 0);
  return html`<section aria-label="Ways out"><${Trouble} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} />`}
    <div class="cards">${data?.egresses.map((egress) => html`<${Egress} key=${egress.name} egress=${egress} trail=${trail(egress.name)} />`)}</div>
      </section>`;
}

function SiteRow({ site, trail }) {
  return html`<tr><th scope="row"><span class="breaks">${site.label ?? site.provider ?? site.site}</span>
    <span class="muted small block breaks">${site.site}</span></th>
    <td><${StateBadge} state=${stateOf(SITE_STATE, site.state)} />
      ${site.closed_until && html`<span class="muted small block">opens ${ago(site.closed_until)}</span>`}
      ${site.reason && html`<span class="muted small block">${site.reason}</span>`}</td>
    <td><${Sparkline} values=${trail} label=${`Waiting at ${site.site}, now ${site.waiting ?? 0}`} /></td>
    <td class="num">${count(site.waiting)}</td>
    <td class="num">${count(site.connections)}${site.connections_max > 0 ? ` / ${count(site.connections_max)}` : ''}</td>
    <td class="num">${count(site.asked)}</td>
    <td class="num">${percent(site.accepted, site.asked)}</td>
    <td class="num">${site.refusals_per_hour_max > 0 ? `${count(site.refused_in_hour)} / ${count(site.refusals_per_hour_max)}` : count(site.refused_in_hour)}</td>
    <td class="num">${millis(site.latency_ms)}</td></tr>`;
}

function Sites() {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/v1/sites?limit=50', { signal }), [], PERIOD_MS);
  const trail = useTrail(data?.sites, (s) => s.site, (s) => s.waiting ?? 0);
  return html`<${Card} title="Far ends"><${Trouble} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} />`}
    ${data?.sites.length === 0 && html`<${Empty} icon="server" title="No mail servers yet">
      <p>Those that are asked will appear here, with their limits and how they answer.</p><//>`}
    ${data?.sites.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Far ends"><table class="table sites">
      <thead><tr><th scope="col">Far end</th><th scope="col">State</th><th scope="col">Queue</th><th scope="col" class="num">Waiting</th>
        <th scope="col" class="num">Connections</th>
        <th scope="col" class="num">Asked</th><th scope="col" class="num">Accepted</th><th scope="col" class="num">Refused / h</th>
          <th scope="col" class="num">Answer</th></tr></thead>
      <tbody>${data.sites.map((site) => html`<${SiteRow} key=${site.site} site=${site} trail=${trail(site.site)} />`)}</tbody></table></div>`}<//>`;
}

export function WaysView() {
  return html`<${PageHead} title="Ways out" text="Where questions leave from, and how the mail servers on the other side take them." />
    <${Egresses} /><${Sites} />`;
}
