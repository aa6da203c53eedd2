// app/settings: colours and key of this browser; the server's settings to read.
// SPDX-License-Identifier: Apache-2.0
import { html, useState } from './html.js';
import { apiKey, call, setApiKey } from './api.js';
import { Button, Card, isMissing, KeyForm, Loading, PageHead, Segments, Trouble, useLoad } from './parts.js';
import { setTheme, useTheme } from './theme.js';
import { spoken } from './format.js';

function Key() {
  const [is_set, setSet] = useState(apiKey() !== '');
  const forget = () => {
    setApiKey('');
    setSet(false);
  };
  return html`<${Card} title="API key"><p class="muted">Needed only where the server asks for one. It is kept until this tab is closed, and sent to no one else.</p>
    ${is_set ? html`<div class="row"><span class="grow" role="status">A key is set for this tab.</span><${Button} onClick=${forget}>Forget it<//>
      </div>`
      : html`<${KeyForm} done=${() => setSet(apiKey() !== '')} />`}<//>`;
}

function Colours() {
  const { theme } = useTheme();
  return html`<${Card} title="Colours"><${Segments} label="Colours" value=${theme} onChange=${setTheme}
    options=${[['auto', 'As the system', 'auto'], ['light', 'Light', 'sun'], ['dark', 'Dark', 'moon']]} /><//>`;
}

/** [{section, name, value, source}] -> [[section, settings]] in the order they came in. */
function bySection(settings) {
  const sections = new Map();
  for (const setting of settings) sections.set(setting.section ?? '', [...(sections.get(setting.section ?? '') ?? []), setting]);
  return [...sections];
}

function ServerSettings() {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/v1/settings', { signal }), []);
  return html`<${Card} title="Server"><p class="muted">They stand in the configuration file; <code>heloise config show</code> prints them as well.</p>
    ${isMissing(problem) ? html`<p class="muted">This server does not show them here.</p>` : html`<${Trouble} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} />`}
    ${data && bySection(data.settings).map(([section, settings]) => html`<h3>${section === '' ? 'General' : spoken(section)}</h3>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Settings: ${section || 'general'}`}><table class="table settings">
        <thead class="offscreen"><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">Source</th></tr></thead>
      <tbody>${settings.map((s) => html`<tr><th scope="row"><code>${s.name}</code></th><td class="breaks">${s.value}</td>
        <td class="muted">${s.source}</td></tr>`)}</tbody></table></div>`)}<//>`;
}

export function SettingsView() {
  return html`<${PageHead} title="Settings" /><div class="cards halves"><${Colours} /><${Key} /></div><${ServerSettings} />`;
}
