// app/timeline: the points of a batch's charts: what the server kept, and what was seen since. Pure.
// SPDX-License-Identifier: Apache-2.0

const POINTS_MAX = 480;
const STATUSES = ['deliverable', 'undeliverable', 'risky', 'unknown'];

function pointOf(batch) {
  const started = Date.parse(batch.started_at ?? batch.created_at);
  const until = Date.parse(batch.finished_at ?? '');
  const now = Number.isNaN(until) ? batch.seen_at : until;
  return {
    t_s: Number.isNaN(started) ? 0 : Math.max(0, (now - started) / 1000),
    done: batch.done, statuses: { ...batch.statuses },
    providers: Object.fromEntries((batch.providers ?? []).map((p) => [p.label ?? p.name, p.done])),
  };
}

/** The points that a batch brings from the server, before any event; a batch begins with nothing done. */
export function timelineStart(batch) {
  const kept = Array.isArray(batch.timeline) ? batch.timeline : [];
  const points = kept.map((p) => ({ t_s: p.t_s, done: p.done, statuses: Object.fromEntries(STATUSES.map((s) => [s, p[s] ?? 0])), providers: null }));
  return points.length > 0 && points[0].t_s === 0 ? points : [{ t_s: 0, done: 0, statuses: {}, providers: {} }, ...points];
}

/** points with what a batch says now (batch.seen_at: when that was, in ms). Every other point goes where there are too many. */
export function timelineAdd(points, batch) {
  const point = pointOf(batch);
  const last = points.at(-1);
  if (last !== undefined && point.t_s < last.t_s) return points;
  const before = last !== undefined && last.done === point.done && points.length > 1 && points.at(-2).done === last.done
    ? points.slice(0, -1) : points; // a standstill is two points
  const all = last !== undefined && point.t_s === last.t_s ? [...points.slice(0, -1), point] : [...before, point];
  return all.length <= POINTS_MAX ? all : all.filter((p, i) => i === 0 || i === all.length - 1 || i % 2 === 0);
}

/** {times, series: {name: values}} by status. */
export function byStatus(points) {
  return { times: points.map((p) => p.t_s), series: Object.fromEntries(STATUSES.map((s) => [s, points.map((p) => p.statuses[s] ?? 0)])) };
}

/** The same by provider, the largest few; points without providers are left out. */
export function byProvider(points, most) {
  const known = points.filter((p) => p.providers !== null);
  const latest = known.at(-1)?.providers ?? {};
  const names = Object.keys(latest).sort((a, b) => latest[b] - latest[a]).slice(0, most);
  return { times: known.map((p) => p.t_s), series: Object.fromEntries(names.map((n) => [n, known.map((p) => p.providers[n] ?? 0)])) };
}
