// app/format: numbers, times and sizes as people read them. Pure: the present time is an argument.
// SPDX-License-Identifier: Apache-2.0

const grouped = new Intl.NumberFormat('en');
const shortened = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const DASH = '–';

/** 12345 -> "12,345"; what is not known is a dash. */
export function count(n) {
  return Number.isFinite(n) ? grouped.format(n) : DASH;
}

/** 12345 -> "12.3K", for axes and narrow places. */
export function brief(n) {
  return Number.isFinite(n) ? shortened.format(n) : DASH;
}

/** "1 address", "2 addresses". */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A part of a whole in percent; never 100 % before all is there, never 0 % when there is some. */
export function percent(part, whole) {
  if (!Number.isFinite(part) || !(whole > 0)) return DASH;
  const p = (part / whole) * 100;
  if (p > 0 && p < 1) return '< 1 %';
  if (p > 99 && p < 100) return '99 %';
  return `${Math.round(p)} %`;
}

const STEPS = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];

/** Seconds -> at most two units: "2 h 5 min". */
export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return DASH;
  if (seconds < 1) return seconds === 0 ? '0 s' : '< 1 s';
  let rest = Math.round(seconds);
  const first = STEPS.findIndex(([, size]) => rest >= size);
  const parts = [];
  for (const [name, size] of STEPS.slice(first, first + 2)) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(`${n} ${name}`);
  }
  return parts.join(' ');
}

/** Milliseconds: "8 ms", "1.25 s", "2 min 3 s". */
export function millis(ms) {
  if (!Number.isFinite(ms)) return DASH;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60000 ? `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s` : duration(ms / 1000);
}

/** Milliseconds as the clock beside a line of a conversation: "0.012", "61.500". */
export function clock(ms) {
  return Number.isFinite(ms) ? (ms / 1000).toFixed(3) : '';
}

/** Addresses a second; slow rates are told by the minute. */
export function rate(per_s) {
  if (!Number.isFinite(per_s) || per_s <= 0) return DASH;
  return per_s >= 1 ? `${per_s < 10 ? per_s.toFixed(1) : count(Math.round(per_s))} / s`
    : `${(per_s * 60).toFixed(per_s * 60 < 10 ? 1 : 0)} / min`;
}

/** Bytes -> "1.5 MB". */
export function size(bytes) {
  if (!Number.isFinite(bytes) || bytes < 0) return DASH;
  const names = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  const step = bytes < 1000 ? 0 : Math.min(names.length - 1, Math.floor(Math.log10(bytes) / 3));
  const n = bytes / 1000 ** step;
  return `${step === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${names[step]}`;
}

/** How long before or after now a time is: "just now", "3 min ago", "in 2 h". */
export function ago(time, now = Date.now()) {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return DASH;
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 5) return 'just now';
  const [name, unit] = STEPS.find(([, s]) => Math.abs(seconds) >= s);
  const text = `${Math.floor(Math.abs(seconds) / unit)} ${name}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** A time in the reader's zone: "21 Nov 2026, 21:26". */
export function date(time) {
  const at = Date.parse(time);
  return Number.isNaN(at) ? DASH : moment.format(at);
}

/** snake_case -> "Snake case", for words that have no sentence of their own. */
export function spoken(word) {
  const text = String(word ?? '').replaceAll('_', ' ').trim();
  return text === '' ? DASH : text[0].toUpperCase() + text.slice(1);
}

/** The points of a line through values, within width and height: "0,10 5,0". Empty for fewer than two. */
export function sparkline(values, width, height) {
  if (values.length < 2) return '';
  const most = Math.max(...values, 1e-9);
  const least = Math.min(...values, 0);
  return values.map((v, i) => {
    const x = (i / (values.length - 1)) * width;
    const y = height - ((v - least) / (most - least)) * height;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  }).join(' ');
}

/** A cell of a workbook as people name it: row 3 of column 28 is "AB3". */
export function cellName(row, column) {
  let letters = '';
  for (let n = column; n > 0; n = Math.floor((n - 1) / 26)) letters = String.fromCharCode(65 + ((n - 1) % 26)) + letters;
  return `${letters}${row}`;
}

/** Rows of cells as CSV (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it. */
export function csv(rows) {
  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
