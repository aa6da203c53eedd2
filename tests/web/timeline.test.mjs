// web/app/timeline: the points of a batch's charts.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byProvider, byStatus, providersOf, timelineAdd, timelineOf } from '../../web/app/timeline.js';

const BEGAN = '2026-01-01T00:00:00Z';
const START = Date.parse(BEGAN);

function batch(done, more = {}) {
  return { created_at: BEGAN, finished_at: null, statuses: { deliverable: done, undeliverable: 0, risky: 0, unknown: 0 }, ...more };
}

function record(seconds, status, label) {
  return { checked_at: new Date(START + seconds * 1000).toISOString(), status, provider: { label } };
}

test('begins with nothing done', () => {
  assert.deepEqual(byStatus(timelineAdd([], batch(3), START + 9000)), { times: [0, 9],
    series: { deliverable: [0, 3], undeliverable: [0, 0], risky: [0, 0], unknown: [0, 0] } });
});

test('a standstill is two points', () => {
  let points = [];
  for (const seconds of [1, 2, 3, 4, 5]) points = timelineAdd(points, batch(7), START + seconds * 1000);
  assert.deepEqual(byStatus(points).times, [0, 1, 5]);
});

test('ends when the batch did', () => {
  const points = timelineAdd([], batch(9, { finished_at: '2026-01-01T00:00:30Z' }), START + 500000);
  assert.equal(points.at(-1).t_s, 30);
});

test('time does not run back', () => {
  const points = timelineAdd([], batch(5), START + 10000);
  assert.equal(timelineAdd(points, batch(6), START + 8000), points);
});

test('stays bounded, and keeps both ends', () => {
  let points = [];
  for (let i = 1; i < 5000; i++) points = timelineAdd(points, batch(i), START + i * 1000);
  assert.ok(points.length <= 480);
  assert.deepEqual([points[0].t_s, points.at(-1).t_s], [0, 4999]);
});

test('out of records, in any order; what was known before counts from the start', () => {
  const points = timelineOf([record(9, 'risky', 'B'), record(-500, 'deliverable', 'A'), record(4, 'deliverable', 'B')], BEGAN);
  assert.deepEqual(byStatus(points).times, [0, 0, 4, 9]);
  assert.deepEqual(byStatus(points).series.deliverable, [0, 1, 2, 2]);
  assert.deepEqual(byProvider(points, 2).series, { B: [0, 0, 1, 2], A: [0, 1, 1, 1] });
});

test('out of many records: few points, the last has all', () => {
  const points = timelineOf(Array.from({ length: 5000 }, (_, i) => record(i, 'unknown', 'A')), BEGAN);
  assert.ok(points.length <= 122);
  assert.equal(points.at(-1).statuses.unknown, 5000);
});

test('providers of a batch, in the table and over time', () => {
  const provider = (name, label, risky, unknown) => ({ name, label, statuses: { deliverable: 0, undeliverable: 0, risky, unknown } });
  const first = batch(2, { providers: [provider('b', 'B', 1, 1)] });
  const second = batch(5, { providers: [provider('b', 'B', 1, 2), provider('a', null, 1, 0), provider(null, null, 0, 1)] });
  assert.deepEqual(providersOf(second).map((p) => [p.name, p.done, p.risky]), [['B', 3, 1], ['a', 1, 1], ['none', 1, 0]]);
  assert.deepEqual(providersOf(batch(0)), []);
  const points = timelineAdd(timelineAdd([], first, START + 1000), second, START + 2000);
  assert.deepEqual(byProvider(points, 2).series, { B: [0, 2, 3], a: [0, 0, 1] });
});
