// app/examples: requests one can copy, with the address of this very server in them.
// SPDX-License-Identifier: Apache-2.0
import { html, useState } from './html.js';
import { Card, CopyButton, PageHead, Segments } from './parts.js';

const LANGUAGES = [['curl', 'curl'], ['javascript', 'JavaScript'], ['python', 'Python']];

function text(...lines) {
  return lines.join('\n');
}

/** The texts of all examples; origin is this server's, needs_key whether a key is sent. Pure. */
export function examples(origin, needs_key) {
  const curl = needs_key ? ' \\\n  -H "Authorization: Bearer $HELOISE_KEY"' : '';
  const js = needs_key ? ', Authorization: `Bearer ${key}`' : '';
  const js_only = needs_key ? ', { headers: { Authorization: `Bearer ${key}` } }' : '';
  const py = needs_key ? ', headers={"Authorization": f"Bearer {key}"}' : '';
  const py_more = needs_key ? ', "Authorization": f"Bearer {key}"' : '';
  return [
    { title: 'Check one address', text: 'Answers within the time given; what takes longer is pending, and goes on.', code: {
      curl: text(
        `curl ${origin}/v1/verify${curl} \\`,
        `  -H "Content-Type: application/json" \\`,
        `  -d '{"email": "jane@example.com", "timeout_ms": 8000}'`),
      javascript: text(
        `const answer = await fetch("${origin}/v1/verify", {`,
        `  method: "POST",`,
        `  headers: { "Content-Type": "application/json"${js} },`,
        `  body: JSON.stringify({ email: "jane@example.com", timeout_ms: 8000 }),`,
        `});`,
        `const { status, score, did_you_mean } = await answer.json();`),
      python: text(
        `import requests`,
        ``,
        `record = requests.post("${origin}/v1/verify",`,
        `    json={"email": "jane@example.com", "timeout_ms": 8000}${py}).json()`,
        `print(record["status"], record["score"])`),
    } },
    { title: 'Check many in one call', text: 'Up to 1,000; each verdict is a line of NDJSON, sent as soon as it is there; row says which of the addresses it is.', code: {
      curl: text(
        `curl -N ${origin}/v1/verify/many${curl} \\`,
        `  -H "Content-Type: application/json" \\`,
        `  -d '{"emails": ["jane@example.com", "info@example.org"]}'`),
      javascript: text(
        `const answer = await fetch("${origin}/v1/verify/many", {`,
        `  method: "POST",`,
        `  headers: { "Content-Type": "application/json"${js} },`,
        `  body: JSON.stringify({ emails: ["jane@example.com", "info@example.org"] }),`,
        `});`,
        `const records = (await answer.text()).trim().split("\\n").map(JSON.parse);`),
      python: text(
        `import json, requests`,
        ``,
        `with requests.post("${origin}/v1/verify/many", stream=True,`,
        `        json={"emails": ["jane@example.com", "info@example.org"]}${py}) as answer:`,
        `    for line in answer.iter_lines():`,
        `        record = json.loads(line)`),
    } },
    { title: 'Hand in a list', text: 'CSV, Excel, text, NDJSON or JSON, as the body. The answer names the batch.', code: {
      curl: text(
        `curl "${origin}/v1/batches?name=contacts.csv&column=email"${curl} \\`,
        `  -H "Content-Type: text/csv" \\`,
        `  --data-binary @contacts.csv`),
      javascript: text(
        `const answer = await fetch("${origin}/v1/batches?name=contacts.csv", {`,
        `  method: "POST",`,
        `  headers: { "Content-Type": "text/csv"${js} },`,
        `  body: file,`,
        `});`,
        `const { id } = await answer.json();`),
      python: text(
        `import requests`,
        ``,
        `with open("contacts.csv", "rb") as file:`,
        `    batch = requests.post("${origin}/v1/batches", params={"name": "contacts.csv"},`,
        `        data=file, headers={"Content-Type": "text/csv"${py_more}}).json()`),
    } },
    { title: 'Fetch the results', text: 'Also while the batch runs. status takes a list: risky,unknown.', code: {
            curl: `curl -OJ "${origin}/v1/batches/$BATCH/results?format=csv&status=deliverable"${curl}`,
      javascript: text(
        `const answer = await fetch(\`${origin}/v1/batches/\${id}/results?format=csv\`${js_only});`,
        `const csv = await answer.text();`),
      python: text(
        `import requests`,
        ``,
        `answer = requests.get(f"${origin}/v1/batches/{batch['id']}/results",`,
        `    params={"format": "csv", "status": "deliverable"}${py})`),
    } },
  ];
}

export function ExamplesView() {
  const [language, setLanguage] = useState('curl');
  const [needs_key, setNeedsKey] = useState(false);
  return html`<${PageHead} title="API" text="Everything on this page is done over the same API.">
      <${Segments} label="Language" value=${language} options=${LANGUAGES} onChange=${setLanguage} /><//>
    <div class="row wraps"><label class="tick"><input type="checkbox" checked=${needs_key} onChange=${(e) => setNeedsKey(e.target.checked)} /><span>With an API key</span></label>
      <span class="grow"></span><a href="/openapi.json">OpenAPI document</a></div>
    ${examples(location.origin, needs_key).map((one) => html`<${Card} title=${one.title} actions=${html`<${CopyButton} text=${one.code[language]} />`}>
      <p class="muted">${one.text}</p><pre class="code" tabindex="0" aria-label=${`${one.title}, ${language}`}>${one.code[language]}</pre><//>`)}`;
}
