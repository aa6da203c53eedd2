// web/app/timeline: the points of a batch's charts.
// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byProvider, byStatus, timelineAdd, timelineStart } from '../../web/app/timeline.js';

const START = Date.parse('2026-01-01T00:00:00Z');

function batch(seconds, done, more = {}) {
  return { started_at: '2026-01-01T00:00:00Z', finished_at: null, seen_at: START + seconds * 1000, done,
    statuses: { deliverable: done, undeliverable: 0, risky: 0, unknown: 0 }, providers: [{ name: 'g', label: 'G', done }], ...more };
}

test('begins with nothing done', () => assert.deepEqual(byStatus(timelineStart(batch(5, 0))).times, [0]));

test('goes on from what the server kept', () => {
  const points = timelineStart(batch(9, 3, { timeline: [{ t_s: 4, done: 2, deliverable: 1, risky: 1 }] }));
  assert.deepEqual(byStatus(timelineAdd(points, batch(9, 3))), { times: [0, 4, 9], series: { deliverable: [0, 1, 3], undeliverable: [0, 0, 0], risky: [0, 1, 0], unknown: [0, 0, 0] } });
});

test('a standstill is two points', () => {
  let points = timelineStart(batch(0, 0));
  for (const seconds of [1, 2, 3, 4, 5]) points = timelineAdd(points, batch(seconds, 7));
  assert.deepEqual(byStatus(points).times, [0, 1, 5]);
});

test('ends when the batch did', () => {
  const points = timelineAdd(timelineStart(batch(0, 0)), batch(500, 9, { finished_at: '2026-01-01T00:00:30Z' }));
  assert.equal(points.at(-1).t_s, 30);
});

test('time does not run back', () => {
  const points = timelineAdd(timelineStart(batch(0, 0)), batch(10, 5));
  assert.equal(timelineAdd(points, batch(8, 6)), points);
});

test('stays bounded, and keeps both ends', () => {
  let points = timelineStart(batch(0, 0));
  for (let i = 1; i < 5000; i++) points = timelineAdd(points, batch(i, i));
  assert.ok(points.length <= 480);
  assert.deepEqual([points[0].t_s, points.at(-1).t_s], [0, 4999]);
});

test('providers: the largest few', () => {
  const providers = [{ name: 'a', done: 1 }, { name: 'b', label: 'B', done: 9 }, { name: 'c', done: 5 }];
  const { series } = byProvider(timelineAdd(timelineStart(batch(0, 0)), batch(3, 15, { providers })), 2);
  assert.deepEqual(series, { B: [0, 9], c: [0, 5] });
});
