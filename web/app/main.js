// app/main: the frame of the page: navigation, colours, and which view the part behind # names.
// SPDX-License-Identifier: Apache-2.0
import { html, render, useEffect, useRef, useState } from './html.js';
import { call } from './api.js';
import { Icon, IconButton, Trouble } from './parts.js';
import { setTheme, useTheme } from './theme.js';
import { CheckView } from './check.js';
import { BatchesView } from './batches.js';
import { BatchView } from './batch.js';
import { ExtractView } from './extract.js';
import { ListView, ListsView } from './lists.js';
import { DomainView } from './domain.js';
import { OwnListsView } from './own_lists.js';
import { ProbeView } from './probe.js';
import { WaysView } from './ways.js';
import { ExamplesView } from './examples.js';
import { SettingsView } from './settings.js';

const PLACES = [
  ['check', 'Check', 'at'],
  ['batches', 'Batches', 'list'],
  ['extract', 'Extract', 'file'],
  ['lists', 'Watched', 'eye'],
  ['dns', 'Domains', 'globe'],
  ['probe', 'Servers', 'server'],
  ['entries', 'Lists', 'shield'],
  ['ways', 'Ways out', 'ways'],
  ['api', 'API', 'code'],
  ['settings', 'Settings', 'sliders'],
];

/** "#/batches/b7" -> ["batches", "b7"] */
function place() {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean);
  try {
    return parts.length === 0 ? ['check'] : parts.map(decodeURIComponent);
  } catch {
    return ['check'];
  }
}

function view([name, id]) {
  switch (name) {
    case 'check': return html`<${CheckView} address=${id ?? ''} />`;
    case 'batches': return id ? html`<${BatchView} key=${id} id=${id} />` : html`<${BatchesView} />`;
    case 'extract': return html`<${ExtractView} />`;
    case 'lists': return id ? html`<${ListView} key=${id} id=${id} />` : html`<${ListsView} />`;
    case 'dns': return html`<${DomainView} domain=${id ?? ''} />`;
    case 'entries': return html`<${OwnListsView} subject=${id ?? ''} />`;
    case 'probe': return html`<${ProbeView} target=${id ?? ''} />`;
    case 'ways': return html`<${WaysView} />`;
    case 'api': return html`<${ExamplesView} />`;
    case 'settings': return html`<${SettingsView} />`;
    default: return html`<${Trouble} problem=${{ title: 'There is no such page', detail: location.hash }} />`;
  }
}

function Navigation({ current }) {
  const bar = useRef(null);
  /* On a phone the bar is wider than the screen. */
  useEffect(() => bar.current.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [current]);
  return html`<nav aria-label="Main" ref=${bar}><ul>${PLACES.map(([name, text, icon]) => html`<li>
    <a href=${`#/${name}`} aria-current=${current === name ? 'page' : undefined}><${Icon} name=${icon} size="20" /><span>${text}</span></a>
  </li>`)}</ul></nav>`;
}

function ThemeButton() {
  const { is_dark } = useTheme();
  return html`<${IconButton} icon=${is_dark ? 'sun' : 'moon'} label=${is_dark ? 'Light colours' : 'Dark colours'}
    onClick=${() => setTheme(is_dark ? 'light' : 'dark')} />`;
}

function Version() {
  const [version, setVersion] = useState('');
  useEffect(() => {
    call('GET', '/version').then((answer) => setVersion(answer?.version ?? '')).catch(() => {});
  }, []);
  return version && html`<span class="version">Version ${version}</span>`;
}

function App() {
  const [where, setWhere] = useState(place);
  const main = useRef(null);
  const is_first = useRef(true);
  useEffect(() => {
    const moved = () => setWhere(place());
    window.addEventListener('hashchange', moved);
    return () => window.removeEventListener('hashchange', moved);
  }, []);
  const name = where[0];
  const text = PLACES.find(([known]) => known === name)?.[1];
  useEffect(() => {
    document.title = text ? `${text} · Heloise` : 'Heloise';
    if (is_first.current) {
      is_first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current.querySelector('h1')?.focus({ preventScroll: true });
  }, [name, name === 'check' ? '' : where[1]]);
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="side">
      <a class="brand" href="#/check" aria-label="Heloise, check an address"><span class="mark"><${Icon} name="mark" size="26" /></span><b>Heloise</b></a>
      <${Navigation} current=${name} />
      <div class="side-foot"><${ThemeButton} /><${Version} /></div>
    </header>
    <main id="main" tabindex="-1" ref=${main}>${view(where)}</main>`;
}

const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);
