// app/examples: requests one can copy, with the address of this very server in them, and every endpoint there is, as the
// server's OpenAPI document has it.
// SPDX-License-Identifier: Apache-2.0
import { html, useState } from './html.js';
import { call } from './api.js';
import { Card, CopyButton, Loading, PageHead, Segments, Trouble, useLoad } from './parts.js';
import { LANGUAGES, requestOf, snippet } from './snippet.js';

const CSV = 'text/csv';

/** Each: what it is for, its request (path instead of url), and what is done with the answer. */
const EXAMPLES = [
  { title: 'Check one address', text: 'Answers within the time given; what takes longer is pending, and goes on.',
    request: { method: 'POST', path: '/v1/verify', json: { email: 'jane@example.com', timeout_ms: 8000 } },
    takes: { javascript: ['const { status, score, did_you_mean } = await answer.json();'],
      python: ['print(answer.json()["status"])'] } },
  { title: 'Watch it happen', text: 'Server-sent events: each stage, each line of the conversation, the verdict.',
    request: { method: 'GET', path: '/v1/verify/stream?email=jane@example.com', type: 'text/event-stream' },
    takes: { streams: true, javascript: ['for await (const piece of answer.body) console.log(new TextDecoder().decode(piece));'],
      python: ['for line in answer.iter_lines():', '    print(line.decode())'] } },
  { title: 'Check many in one call', text: 'Up to 1,000; each verdict is a line of NDJSON, sent as soon as it is there; row says which of the addresses it is.',
    request: { method: 'POST', path: '/v1/verify/many', json: { emails: ['jane@example.com', 'info@example.org'] } },
    takes: { streams: true, javascript: ['const records = (await answer.text()).trim().split("\\n").map(JSON.parse);'],
      python: ['for line in answer.iter_lines():', '    print(line.decode())'] } },
  { title: 'Hand in a list', text: 'CSV, Excel, text, NDJSON or JSON, as the body. The answer names the batch.',
    request: { method: 'POST', path: '/v1/batches?name=contacts.csv&column=email', file: 'contacts.csv', type: CSV },
    takes: { javascript: ['const { id } = await answer.json();'], python: ['batch = answer.json()["id"]'] } },
  { title: 'Fetch the results', text: 'Also while the batch runs, as CSV, NDJSON or Excel. status takes a list: risky,unknown.',
    request: { method: 'GET', path: '/v1/batches/ID/results?format=csv&status=deliverable' },
    takes: { javascript: ['const csv = await answer.text();'], python: ['print(answer.text)'] } },
  { title: 'Be told', text: 'A list with webhook=URL tells that URL how it ended. The events are signed; this is the secret to verify them with.',
    request: { method: 'POST', path: '/v1/webhooks/secret', json: { url: 'https://example.com/hook' } },
    takes: { javascript: ['const { secret } = await answer.json();'], python: ['secret = answer.json()["secret"]'] } },
  { title: 'Check a list again and again', text: 'Only answers that are older than that are asked for again; what changed is kept and told.',
    request: { method: 'POST', path: '/v1/watches', json: { batch: 'ID', every: '7d' } },
    takes: { javascript: ['const { id } = await answer.json();'], python: ['watch = answer.json()["id"]'] } },
  { title: 'Look at a domain', text: 'What its DNS does to its mail: a grade, each fault, the record to publish.',
    request: { method: 'GET', path: '/v1/dns/example.com' },
    takes: { javascript: ['const { grade, findings } = await answer.json();'], python: ['print(answer.json()["grade"])'] } },
  { title: 'Find the addresses in a file', text: 'Mail, PDF, Office files, web pages, archives: told by its content. Nobody is asked about what is found.',
    request: { method: 'POST', path: '/v1/extract', file: 'page.html', type: 'application/octet-stream' },
    takes: { javascript: ['const { addresses } = await answer.json();'],
      python: ['print([one["email"] for one in answer.json()["addresses"]])'] } },
  { title: 'Say what became of messages', text: 'Bounces and deliveries, with a column outcome, correct the likelihoods at their domains and providers.',
    request: { method: 'POST', path: '/v1/outcomes', file: 'bounces.csv', type: CSV },
    takes: { javascript: ['const { alive, gone, faults } = await answer.json();'], python: ['print(answer.json())'] } },
  { title: 'Forget an address', text: 'Erases all that is stored of it.',
    request: { method: 'DELETE', path: '/v1/addresses/jane@example.com' } },
];

/** The examples as texts; origin is this server's. Pure. */
export function examples(origin, language, key) {
  return EXAMPLES.map(({ title, text, request: { path, ...more }, takes }) => ({
    title, text, code: snippet(language, { ...more, url: origin + path }, key, takes) }));
}

const GROUPS = [['verify', 'Checking'], ['batches', 'Lists'], ['watches', 'Watched lists'], ['webhooks', 'Webhooks'],
  ['insight', 'What is known'], ['status', 'The server'], ['drop-in', 'In place of another service']];

/** [[name, [{method, path, summary, request}]]] of all operations, by their first tag. Pure. */
export function endpoints(document, origin) {
  const all = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item)
    .filter(([method]) => method !== 'parameters')
    .map(([method, operation]) => ({ tag: operation.tags[0], method: method.toUpperCase(), path, summary: operation.summary,
      request: requestOf(document, origin, path, method, operation) })));
  const tags = [...new Set([...GROUPS.map(([tag]) => tag), ...all.map(({ tag }) => tag)])];
  const names = Object.fromEntries(GROUPS);
  return tags.map((tag) => [names[tag] ?? tag, all.filter((one) => one.tag === tag)]).filter(([, group]) => group.length > 0);
}

function Endpoints({ language, needs_key }) {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/openapi.json', { signal }), []);
  return html`<${Card} title="All endpoints" actions=${html`<a href="/openapi.json">OpenAPI document</a>`}>
    <${Trouble} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} />`}
    ${data && endpoints(data, location.origin).map(([name, group]) => html`<h3>${name}</h3><ul class="endpoints">
      ${group.map(({ method, path, summary, request }) => html`<li><code class="breaks"><b>${method}</b> ${path}</code>
        <span class="muted small breaks">${summary}</span><${CopyButton} text=${snippet(language, request, needs_key)} /></li>`)}</ul>`)}<//>`;
}

export function ExamplesView() {
  const [language, setLanguage] = useState('curl');
  const [needs_key, setNeedsKey] = useState(false);
  return html`<${PageHead} title="API" text="Everything on this page is done over the same API.">
      <${Segments} label="Language" value=${language} options=${LANGUAGES} onChange=${setLanguage} /><//>
    <label class="tick"><input type="checkbox" checked=${needs_key} onChange=${(e) => setNeedsKey(e.target.checked)} /><span>With an API key</span></label>
    ${examples(location.origin, language, needs_key).map(({ title, text, code }) => html`<${Card} title=${title} actions=${html`<${CopyButton} text=${code} />`}>
      <p class="muted">${text}</p><pre class="code" tabindex="0" aria-label=${`${title}, ${language}`}>${code}</pre><//>`)}
    <${Endpoints} language=${language} needs_key=${needs_key} />`;
}
