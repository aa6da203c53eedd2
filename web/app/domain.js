// app/domain: what the DNS of a domain does to its mail: a grade, each fault with why it matters and the record to
// publish, and what stands there.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useState } from './html.js';
import { call, path } from './api.js';
import { Card, CopyButton, Facts, Icon, Loading, PageHead, StateBadge, Trouble, useLoad } from './parts.js';
import { plural } from './format.js';

const LEVELS = {
  critical: { text: 'Critical', tone: 'undeliverable' },
  error: { text: 'Error', tone: 'undeliverable' },
  warning: { text: 'Warning', tone: 'risky' },
  advice: { text: 'Advice', tone: 'accent' },
  unknown: { text: 'Not known', tone: 'unknown' },
};
const WORST_FIRST = Object.keys(LEVELS);

function gradeState({ grade, score }) {
  const tone = grade === 'A' ? 'deliverable' : grade === 'B' || grade === 'C' ? 'risky' : 'undeliverable';
  return { text: `Grade ${grade}, ${score} of 100`, tone };
}

function Finding({ finding }) {
  return html`<li><${StateBadge} state=${LEVELS[finding.level] ?? LEVELS.unknown} /> <strong class="breaks">${finding.text}</strong>
    <p class="muted small">${finding.why}</p>
    ${finding.todo && html`<p class="small breaks">${finding.todo}</p>`}
    ${finding.record && html`<p class="breaks"><code>${finding.record}</code> <${CopyButton} text=${finding.record} label="Copy the record" /></p>`}</li>`;
}

function Findings({ health }) {
  const findings = [...health.findings].sort((a, b) => WORST_FIRST.indexOf(a.level) - WORST_FIRST.indexOf(b.level));
  return html`<${Card} title=${health.domain} actions=${html`<${StateBadge} state=${gradeState(health)} />`}>
    ${findings.length === 0 ? html`<p>Nothing to mend.</p>`
      : html`<p class="muted small">${plural(findings.length, 'finding')}</p><ul class="findings">${findings.map((finding) => html`<${Finding} finding=${finding} />`)}</ul>`}
    ${!health.complete && html`<p class="muted small">The time was over before all had answered.</p>`}<//>`;
}

function Standing({ facts }) {
  return html`<${Card} title="What stands there"><${Facts} items=${[
    ['Name servers', facts.ns.map((ns) => ns.host).join(', ')],
    ['Mail servers', facts.mx.map((mx) => `${mx.preference} ${mx.host || '.'}`).join(', ')],
    ['SPF', facts.spf.policies[0]?.record], ['SPF lookups', `${facts.spf.lookups} of 10`],
    ['DKIM', facts.dkim.map((key) => `${key.selector} (${key.kind} ${key.bits})`).join(', ')],
    ['DMARC', facts.dmarc.record], ['MTA-STS', facts.mta_sts.record], ['TLS reports', facts.tls_rpt.record],
    ['DNSSEC', facts.dnssec ? 'signed' : 'not seen to be signed'], ['BIMI', facts.bimi.record],
  ]} /><//>`;
}

function Answer({ domain }) {
  const { data, problem, reload } = useLoad((signal) => call('GET', path('dns', domain), { signal }), [domain]);
  return html`<${Trouble} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} text="Asking" />`}
    ${data && html`<${Findings} health=${data} /><${Standing} facts=${data.facts} />`}`;
}

export function DomainView({ domain }) {
  const [text, setText] = useState(domain);
  useEffect(() => setText(domain), [domain]);
  const submit = (event) => {
    event.preventDefault();
    if (text.trim() !== '') location.hash = `#/dns/${encodeURIComponent(text.trim())}`;
  };
  return html`<${PageHead} title="Domains" text="What the DNS of a domain does to its mail, and which records to publish." />
    <form class="ask" onSubmit=${submit} role="search">
      <label class="ask-field"><${Icon} name="globe" size="20" /><span class="offscreen">Domain</span>
        <input type="text" autocomplete="off" autocapitalize="none" spellcheck=${false} maxlength="255" placeholder="example.com"
          value=${text} onInput=${(e) => setText(e.target.value)} /></label>
      <button type="submit" class="button primary big"><span>Look</span><${Icon} name="arrow" /></button>
    </form>
    ${domain && html`<${Answer} key=${domain} domain=${domain} />`}`;
}
