// app/timeline: the points of a batch's charts: out of its events while it is watched, out of its records otherwise. Pure.
// A point is {t_s, statuses, providers}: counts of addresses so far, t_s seconds after the batch came.
// SPDX-License-Identifier: Apache-2.0

const POINTS_MAX = 480;
const STATUSES = ['deliverable', 'undeliverable', 'risky', 'unknown'];
const START = { t_s: 0, statuses: {}, providers: {} };

function sum(statuses) {
  return Object.values(statuses).reduce((total, n) => total + n, 0);
}

function nameOf(provider) {
  return provider?.label ?? provider?.name ?? 'none';
}

/** points with what a batch says now, at now_ms; [] begins with nothing done. Where there are too many, every other goes. */
export function timelineAdd(points, batch, now_ms) {
  const until = Date.parse(batch.finished_at ?? '');
  const t_s = Math.max(0, ((Number.isNaN(until) ? now_ms : until) - Date.parse(batch.created_at)) / 1000);
  const point = { t_s, statuses: { ...batch.statuses }, providers: Object.fromEntries(providersOf(batch).map((p) => [p.name, p.done])) };
  const before = points.length > 0 ? points : [START];
  const last = before.at(-1);
  if (t_s < last.t_s) return points;
  const done = sum(point.statuses);
  const stands = before.length > 1 && sum(last.statuses) === done && sum(before.at(-2).statuses) === done;
  const all = stands || t_s === last.t_s ? [...before.slice(0, -1), point] : [...before, point]; // a standstill is two points
  return all.length <= POINTS_MAX ? all : all.filter((p, i) => i === 0 || i === all.length - 1 || i % 2 === 0);
}

/** The same out of records: each counts from when it was checked; what was known before the batch came counts from its start. */
export function timelineOf(records, created_at, most = 120) {
  const began = Date.parse(created_at);
  const seen = records.map((r) => ({ t_s: Math.max(0, (Date.parse(r.checked_at) - began) / 1000), status: r.status,
    provider: nameOf(r.provider) })).filter((r) => !Number.isNaN(r.t_s)).sort((a, b) => a.t_s - b.t_s);
  const step = Math.max(1, Math.ceil(seen.length / most));
  const points = [START];
  const statuses = {};
  const providers = {};
  seen.forEach((one, i) => {
    statuses[one.status] = (statuses[one.status] ?? 0) + 1;
    providers[one.provider] = (providers[one.provider] ?? 0) + 1;
    if ((i + 1) % step === 0 || i === seen.length - 1) points.push({ t_s: one.t_s, statuses: { ...statuses }, providers: { ...providers } });
  });
  return points;
}

/** {times, series: {name: values}} by status. */
export function byStatus(points) {
  return { times: points.map((p) => p.t_s), series: Object.fromEntries(STATUSES.map((s) => [s, points.map((p) => p.statuses[s] ?? 0)])) };
}

/** The same by provider, the largest few. */
export function byProvider(points, most) {
  const latest = points.at(-1)?.providers ?? {};
  const names = Object.keys(latest).sort((a, b) => latest[b] - latest[a]).slice(0, most);
  return { times: points.map((p) => p.t_s), series: Object.fromEntries(names.map((n) => [n, points.map((p) => p.providers[n] ?? 0)])) };
}

/** [{name, done, deliverable, ...}] of a batch, the largest first. */
export function providersOf(batch) {
  return (batch.providers ?? []).map((p) => ({ name: nameOf(p), done: sum(p.statuses), ...p.statuses }));
}
