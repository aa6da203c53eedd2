// app/settings: colours and key of this browser; where the server's own settings are.
// SPDX-License-Identifier: Apache-2.0
import { html, useState } from './html.js';
import { apiKey, call, setApiKey } from './api.js';
import { Button, Card, Facts, KeyForm, Loading, PageHead, Segments, Trouble, useLoad } from './parts.js';
import { setTheme, useTheme } from './theme.js';

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

function Server() {
  const { data, problem, reload } = useLoad((signal) => call('GET', '/version', { signal }), []);
  return html`<${Card} title="Server">
    <p class="muted">How it asks, whom and how fast stands in its configuration file; <code>heloise config show</code> prints what holds and
      where each value comes from, <code>heloise config check</code> finds what is wrong.</p>
    <${Trouble} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} />`}
    ${data && html`<${Facts} items=${[['Version', data.version], ['Address', html`<code>${location.origin}</code>`],
      ['Ways out', html`<a href="#/ways">limits and health</a>`], ['API', html`<a href="/openapi.json">OpenAPI document</a>`],
      ['Metrics', html`<code>/metrics</code>`]]} />`}<//>`;
}

export function SettingsView() {
  return html`<${PageHead} title="Settings" /><div class="cards halves"><${Colours} /><${Key} /></div><${Server} />`;
}
