// app/sniff: what a list looks like, from its first bytes: format, delimiter, heading, the column of addresses, rows.
// A guess for the preview only; the server reads the file itself. Pure.
// SPDX-License-Identifier: Apache-2.0

export const SNIFF_BYTES = 128 * 1024;
const ROWS_MAX = 200; // looked at
const COLUMNS_MAX = 100;
const CELL_MAX = 300; // characters shown of one cell

const ADDRESS = /^<?[^\s@<>,;"]{1,64}@[^\s@<>,;"]+\.[^\s@<>,;".]+>?$/u;
const NAMED_ADDRESS = /<[^\s@<>]+@[^\s@<>]+>\s*$/u;
const HEADING = /^(e-?mail|mail|(e-?)?mail[ _-]?(address|adresse)|adresse|correo|courriel|address)$/i;

const TYPES = {
  csv: 'text/csv', txt: 'text/plain', ndjson: 'application/x-ndjson', json: 'application/json',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

export function typeOf(format) {
  return TYPES[format];
}

/** The text of the first bytes of a file: UTF-16 by its mark, else UTF-8, else Windows-1252. */
export function decode(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try { // a cut within a character is no fault: stream keeps it back
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

export function looksLikeAddress(text) {
  const t = text.trim();
  return ADDRESS.test(t) || NAMED_ADDRESS.test(t);
}

/** Rows of cells of a delimited text (null: one cell a line), quotes after RFC 4180; a row that the cut may have hurt is left out. */
export function splitRows(text, delimiter, is_cut = false, rows_max = ROWS_MAX) {
  const rows = [];
  let row = [];
  let cell = '';
  let is_quoted = false;
  for (let i = 0; i < text.length && rows.length < rows_max; i++) {
    const c = text[i];
    if (is_quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') { cell += '"'; i++; } else is_quoted = false;
    } else if (c === '"' && cell === '') {
      is_quoted = true;
    } else if (c === delimiter) {
      row.push(cell);
      cell = '';
    } else if (c === '\n' || c === '\r') {
      if (c === '\r' && text[i + 1] === '\n') i++;
      row.push(cell);
      if (row.length > 1 || row[0] !== '') rows.push(row);
      row = [];
      cell = '';
    } else {
      cell += c;
    }
  }
  if (!is_cut && rows.length < rows_max && (cell !== '' || row.length > 0)) rows.push([...row, cell]);
  return rows;
}

/** The delimiter that cuts most rows into the same number (two or more) of cells; null for plain lines. */
export function findDelimiter(text, is_cut) {
  let best = null;
  let best_score = 0;
  for (const delimiter of [',', ';', '\t', '|']) {
    const widths = splitRows(text, delimiter, is_cut, 30).map((row) => row.length);
    if (widths.length === 0) continue;
    const usual = [...widths].sort((a, b) => a - b)[Math.floor(widths.length / 2)];
    const alike = widths.filter((w) => w === usual).length / widths.length;
    const score = usual < 2 ? 0 : alike * (1 + Math.min(usual, 20) / 100);
    if (score > best_score) [best, best_score] = [delimiter, score];
  }
  return best_score >= 0.5 ? best : null;
}

function clip(value) {
  const text = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > CELL_MAX ? `${text.slice(0, CELL_MAX)}…` : text;
}

/** Columns with how many of their cells look like addresses, and which one is taken. */
function weigh(format, delimiter, header, rows) {
  const width = Math.min(COLUMNS_MAX, Math.max(header?.length ?? 0, ...rows.map((r) => r.length), 0));
  const columns = [];
  for (let i = 0; i < width; i++) {
    const hits = rows.filter((row) => looksLikeAddress(row[i] ?? '')).length;
    const name = header?.[i]?.trim() ?? '';
    columns.push({ number: i + 1, name: clip(name), hits, is_named: HEADING.test(name) });
  }
  const best = columns.reduce((a, b) => (a === null || b.hits + (b.is_named ? rows.length / 2 + 1 : 0)
    > a.hits + (a.is_named ? rows.length / 2 + 1 : 0) ? b : a), null);
  const email = best !== null && (best.hits > 0 || best.is_named) ? best.number : null;
  return { format, delimiter, has_header: header !== null, columns, email, rows: rows.map((row) => row.map(clip)) };
}

function sniffObjects(format, values) {
  const objects = values.filter((v) => v !== null && typeof v === 'object' && !Array.isArray(v));
  if (objects.length === 0) return weigh(format, null, null, values.map((v) => [clip(v)]));
  const names = [...new Set(objects.flatMap((o) => Object.keys(o)))].slice(0, COLUMNS_MAX);
  return weigh(format, null, names, objects.map((o) => names.map((n) => clip(o[n]))));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The complete values at the beginning of a JSON array that may be cut off. */
export function jsonValues(text) {
  const whole = parsed(text);
  if (Array.isArray(whole)) return whole.slice(0, ROWS_MAX);
  const values = [];
  let depth = 0;
  let is_string = false;
  let from = text.indexOf('[') + 1;
  for (let i = from; i < text.length && values.length < ROWS_MAX; i++) {
    const c = text[i];
    if (is_string) {
      if (c === '\\') i++;
      else if (c === '"') is_string = false;
    } else if (c === '"') is_string = true;
    else if (c === '{' || c === '[') depth++;
    else if ((c === ',' || c === ']') && depth === 0) {
      const value = parsed(text.slice(from, i));
      if (value !== undefined) values.push(value);
      if (c === ']') break;
      from = i + 1;
    } else if (c === '}' || c === ']') depth--;
  }
  return values;
}

/** What a file is, by its first bytes and its name.
 * {format, delimiter, has_header, columns: [{number, name, hits}], email: number or null, rows}; XLSX has no rows. */
export function sniff(bytes, name, is_cut) {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1].toLowerCase() ?? '';
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4) {
    return { format: 'xlsx', delimiter: null, has_header: true, columns: [], email: null, rows: [] };
  }
  const text = decode(bytes).replace(/^\ufeff/, '');
  const start = text.trimStart()[0];
  if (start === '[') return sniffObjects('json', jsonValues(text));
  if (start === '{' || ending === 'ndjson' || ending === 'jsonl') {
    const lines = text.split(/\r?\n/).slice(0, ROWS_MAX + 1);
    if (is_cut) lines.pop();
    return sniffObjects('ndjson', lines.slice(0, ROWS_MAX).map(parsed).filter((v) => v !== undefined));
  }
  const delimiter = findDelimiter(text, is_cut);
  const rows = splitRows(text, delimiter, is_cut);
  const has_header = rows.length > 0 && !rows[0].some(looksLikeAddress)
    && (rows[0].some((cell) => HEADING.test(cell.trim())) || rows.slice(1).some((row) => row.some(looksLikeAddress)));
  const format = delimiter === null && !has_header && ending !== 'csv' ? 'txt' : 'csv';
  return weigh(format, delimiter, has_header ? rows[0] : null, has_header ? rows.slice(1) : rows);
}
