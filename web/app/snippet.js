// app/snippet: a request as text to copy, for curl, JavaScript and Python; and the request that an operation of the OpenAPI
// document describes, with sample values. Pure.
// SPDX-License-Identifier: Apache-2.0

export const LANGUAGES = [['curl', 'curl'], ['javascript', 'JavaScript'], ['python', 'Python']];

/** {method, url, json, file, type}: file names what the body is, of that media type. key: whether one is sent. */
function curl({ method, url, json, file, type }, key) {
  const is_plain = method === 'GET' || (method === 'POST' && (json !== undefined || file));
  return [
    `curl ${is_plain ? '' : `-X ${method} `}${type === 'text/event-stream' ? '-N ' : ''}"${url}"`,
    key && '-H "Authorization: Bearer $HELOISE_KEY"',
    json !== undefined && '-H "Content-Type: application/json"',
    json !== undefined && `-d '${JSON.stringify(json).replaceAll("'", "'\\''")}'`,
    file && `-H "Content-Type: ${type}"`,
    file && `--data-binary @${file}`,
  ].filter(Boolean).join(' \\\n  ');
}

function javascript({ method, url, json, file, type }, key, takes) {
  const headers = [
    (json !== undefined || file) && `"Content-Type": "${json !== undefined ? 'application/json' : type}"`,
    key && 'Authorization: `Bearer ${key}`',
  ].filter(Boolean);
  const parts = [
    method !== 'GET' && `  method: "${method}",`,
    headers.length > 0 && `  headers: { ${headers.join(', ')} },`,
    json !== undefined && `  body: JSON.stringify(${JSON.stringify(json)}),`,
    file && '  body: file,',
  ].filter(Boolean);
  const call = parts.length === 0 ? `fetch("${url}")` : `fetch("${url}", {\n${parts.join('\n')}\n})`;
  return [`const answer = await ${call};`, ...(takes?.javascript ?? [])].join('\n');
}

function pythonValue(value) {
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${pythonValue(one)}`).join(', ')}}`;
}

function python({ method, url, json, file, type }, key, takes) {
  const headers = [file && `"Content-Type": "${type}"`, key && '"Authorization": f"Bearer {key}"'].filter(Boolean);
  const more = [
    json !== undefined && `json=${pythonValue(json)}`,
    file && 'data=file',
    headers.length > 0 && `headers={${headers.join(', ')}}`,
    takes?.streams && 'stream=True',
  ].filter(Boolean);
  const call = `requests.${method.toLowerCase()}("${url}"${more.map((one) => `,\n    ${one}`).join('')})`;
  const lines = file
    ? [`with open("${file}", "rb") as file:`, ...`answer = ${call}`.split('\n').map((line) => `    ${line}`)]
    : [`answer = ${call}`];
  return ['import requests', '', ...lines, ...(takes?.python ?? [])].join('\n');
}

/** takes: what is done with the answer, as lines for javascript and python; streams: python reads it as it comes. */
export function snippet(language, request, key, takes) {
  if (language === 'curl') return curl(request, key);
  return language === 'javascript' ? javascript(request, key, takes) : python(request, key, takes);
}

const SAMPLES = {
  address: 'jane@example.com', email: 'jane@example.com', to_email: 'jane@example.com', domain: 'example.com', host: 'example.com',
  url: 'https://example.com/hook', every: '7d', batch: 'ID', id: 'ID', emails: ['jane@example.com'], input: ['jane@example.com'],
  email_batch: [{ email_address: 'jane@example.com' }],
};
const FILES = { 'text/csv': 'list.csv', '*/*': 'file', 'application/x-ndjson': 'list.ndjson' };

function sampleOf(name, schema) {
  if (name in SAMPLES) return SAMPLES[name];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const type = [schema.type].flat()[0];
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  return type === 'array' ? [] : type === 'object' ? {} : name.toUpperCase();
}

function resolve(document, node) {
  return node?.$ref ? node.$ref.slice(2).split('/').reduce((at, part) => at[part], document) : node ?? {};
}

function bodyOf(document, operation) {
  const content = operation.requestBody?.content ?? {};
  if (content['application/json'] && !content['text/csv']) {
    const { properties = {}, required = [] } = resolve(document, content['application/json'].schema);
    return { json: Object.fromEntries(required.map((name) => [name, sampleOf(name, resolve(document, properties[name]))])) };
  }
  const type = Object.keys(FILES).find((known) => content[known]);
  return type ? { file: FILES[type], type: type === '*/*' ? 'application/octet-stream' : type } : {};
}

/** The request of an operation: required values with samples. */
export function requestOf(document, origin, path, method, operation) {
  const parameters = [...(document.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map((one) => resolve(document, one));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => String(sampleOf(name, {})));
  const query = parameters.filter((one) => one.in === 'query' && one.required)
    .map((one) => `${one.name}=${encodeURIComponent(sampleOf(one.name, one.schema ?? {})).replaceAll('%40', '@')}`);
  const streams = Object.values(operation.responses).some((one) => resolve(document, one).content?.['text/event-stream']);
  return { method: method.toUpperCase(), url: `${origin}${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    ...(streams ? { type: 'text/event-stream' } : {}), ...bodyOf(document, operation) };
}
