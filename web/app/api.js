// app/api: requests to the server that served this page. The key, if one is needed, lives in sessionStorage only.
// Errors are thrown as Problem, whatever their cause, with a text that a person can use.
// SPDX-License-Identifier: Apache-2.0
import { sseParser } from './sse.js';

const KEY = 'heloise.key';

export function apiKey() {
  return sessionStorage.getItem(KEY) ?? '';
}

export function setApiKey(key) {
  if (key === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
  window.dispatchEvent(new Event('heloise-key'));
}

export class Problem extends Error {
  constructor(status, title, detail, more = {}) {
    super(detail || title);
    this.status = status; // 0: the server was not reached
    this.title = title;
    this.detail = detail;
    this.row = more.row;
    this.column = more.column;
    this.retry_after = more.retry_after;
  }
}

const TITLES = {
  401: 'An API key is needed', 403: 'This key may not do that', 404: 'There is no such thing here', 409: 'Not possible now',
  413: 'Too large', 415: 'This kind of file is not read', 422: 'The content cannot be used', 429: 'Too many requests',
  501: 'This server does not offer it', 503: 'The server is busy',
};

function problemFrom(status, type, text, retry_after) {
  let body = {};
  if (/json/.test(type ?? '')) {
    try {
      body = JSON.parse(text) ?? {};
    } catch {
      body = {};
    }
  }
  const words = (value) => (typeof value === 'string' ? value : '');
  return new Problem(status, words(body.title) || TITLES[status] || `The server answered ${status}`, words(body.detail),
    { row: body.row, column: body.column, retry_after: Number(retry_after) || undefined });
}

function headers(more) {
  const key = apiKey();
  return { ...(key === '' ? {} : { Authorization: `Bearer ${key}` }), ...more };
}

export function query(values) {
  const given = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** A path whose parts may hold any character. */
export function path(...parts) {
  return `/v1/${parts.map(encodeURIComponent).join('/')}`;
}

async function send(method, url, { body, signal, accept = 'application/json' } = {}) {
  let answer;
  try {
    answer = await fetch(url, {
      method, signal, cache: 'no-store', credentials: 'same-origin',
      headers: headers({ Accept: accept, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) }),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Problem(0, 'The server cannot be reached', 'It may have been stopped, or the network is down.');
  }
  if (!answer.ok) {
    throw problemFrom(answer.status, answer.headers.get('content-type'), await answer.text().catch(() => ''),
      answer.headers.get('retry-after'));
  }
  return answer;
}

/** The JSON of an answer; null where it has no body. */
export async function call(method, url, options) {
  const answer = await send(method, url, options);
  const text = await answer.text();
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(answer.status, 'The server’s answer is not JSON', url);
  }
}

/** Keeps a key for this tab. One that the server does not know is not kept: the Problem is thrown, and the one before stays. */
export async function tryApiKey(key) {
  const before = apiKey();
  setApiKey(key);
  try {
    await call('GET', '/v1/egresses');
  } catch (problem) {
    if (problem.status === 403) return; // it is known, and may do other things than this one
    setApiKey(before);
    throw problem;
  }
}

/** Values of an NDJSON answer: most of them after the first few that are skipped. The rest is not fetched. */
export async function callLines(url, skipped, most, { signal } = {}) {
  const answer = await send('GET', url, { signal, accept: 'application/x-ndjson' });
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const values = [];
  let seen = 0;
  let rest = '';
  while (values.length < most) {
    const { done, value } = await reader.read();
    rest += done ? '\n' : decoder.decode(value, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop();
    for (const line of lines.filter((text) => text.trim() !== '')) {
      if (seen >= skipped && values.length < most) values.push(JSON.parse(line));
      seen += 1;
    }
    if (done) break;
  }
  reader.cancel().catch(() => {});
  return values;
}

/** Reads an event stream to its end; heard(type, data) gets each event's JSON. */
export async function stream(url, heard, { method = 'GET', body, signal } = {}) {
  const answer = await send(method, url, { body, signal, accept: 'text/event-stream' });
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const parser = sseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of parser.feed(decoder.decode(value, { stream: true }))) heard(event.type, JSON.parse(event.data));
    }
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Problem(0, 'The stream broke off', cause.message);
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Uploads a file as it is; progressed(sent, total). {promise, abort}; XMLHttpRequest, as fetch tells no progress. */
export function upload(url, file, type, progressed) {
  const request = new XMLHttpRequest();
  const promise = new Promise((resolve, reject) => {
    request.open('POST', url);
    for (const [name, value] of Object.entries(headers({ 'Content-Type': type, Accept: 'application/json' }))) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => progressed(event.loaded, event.total);
    request.onerror = () => reject(new Problem(0, 'The upload broke off', 'The server closed the connection or cannot be reached.'));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    request.onload = () => {
      const type_of_answer = request.getResponseHeader('content-type');
      if (request.status < 200 || request.status > 299) {
        reject(problemFrom(request.status, type_of_answer, request.responseText, request.getResponseHeader('retry-after')));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(new Problem(request.status, 'The server’s answer is not JSON', url));
      }
    };
    request.send(file);
  });
  return { promise, abort: () => request.abort() };
}

/** Saves what is in memory under a name. */
export function save(blob, name) {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Saves what url answers under a name. Without a key the browser does it alone and keeps nothing in memory. */
export async function download(url, name) {
  if (apiKey() === '') {
    const link = document.createElement('a');
    link.download = name;
    link.href = url;
    link.click();
    return;
  }
  const answer = await send('GET', url, { accept: '*/*' });
  save(await answer.blob(), name);
}
