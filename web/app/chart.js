// app/chart: a chart over time on uPlot, which is fetched when the first chart is shown. Colours come from the style
// sheet, so that light and dark hold here too.
// SPDX-License-Identifier: Apache-2.0
import { html, useEffect, useRef, useState } from './html.js';
import { brief, count, duration } from './format.js';
import { useTheme } from './theme.js';

let fetched = null;

function library() {
  if (fetched === null) {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = 'vendor/uplot.css';
    document.head.append(link);
    fetched = import('../vendor/uplot.js').then((module) => module.default);
    fetched.catch(() => { fetched = null; });
  }
  return fetched;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Values on top of each other: [[1, 2], [3, 4]] -> [[1, 2], [4, 6]]. */
export function stacked(rows) {
  const sums = [];
  return rows.map((row) => row.map((value, i) => {
    sums[i] = (sums[i] ?? 0) + value;
    return sums[i];
  }));
}

function options(series, is_stacked, width, height) {
  const axis = { stroke: colour('muted'), font: '12px system-ui, sans-serif', grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  const drawn = series.map((one) => ({
    label: one.label, stroke: colour(one.colour), width: is_stacked ? 1 : 2, points: { show: false },
    fill: is_stacked ? colour(`${one.colour}-fill`) : undefined,
  }));
  return {
    width, height, legend: { show: false }, scales: { x: { time: false }, y: { range: (u, least, most) => [0, Math.max(most, 1) * 1.06] } },
    cursor: { y: false, points: { show: false } },
    axes: [{ ...axis, values: (u, ticks) => ticks.map((t) => (t === 0 ? '0' : duration(t))), space: 90, gap: 6, size: 30 },
      { ...axis, values: (u, ticks) => ticks.map(brief), size: 52, gap: 6 }],
    series: [{}, ...(is_stacked ? drawn.reverse() : drawn)],
  };
}

/** times in seconds; series [{label, colour, values}], colour the name of a custom property. */
export function TimeChart({ times, series, is_stacked = false, label, height = 220 }) {
  const box = useRef(null);
  const plot = useRef(null);
  const { is_dark } = useTheme();
  const [at, setAt] = useState(null);
  const [trouble, setTrouble] = useState(false);
  const rows = series.map((one) => one.values);
  const shown = is_stacked ? stacked(rows).reverse() : rows;
  const data = useRef(null);
  data.current = [times, ...shown];
  const names = series.map((one) => `${one.label} ${one.colour}`).join();

  useEffect(() => {
    let is_gone = false;
    const watcher = new ResizeObserver(() => plot.current?.setSize({ width: box.current.clientWidth, height }));
    library().then((UPlot) => {
      if (is_gone) return;
      const wanted = options(series, is_stacked, box.current.clientWidth, height);
      wanted.hooks = { setCursor: [(u) => setAt(u.cursor.idx ?? null)] };
      plot.current = new UPlot(wanted, data.current, box.current);
      watcher.observe(box.current);
    }).catch(() => setTrouble(true));
    return () => {
      is_gone = true;
      watcher.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names, is_stacked, is_dark, height]);
  useEffect(() => {
    plot.current?.setData(data.current);
  }, [times.length, times.at(-1), rows.map((row) => row.at(-1)).join()]);

  const index = at !== null && at < times.length ? at : times.length - 1;
  const summary = series.map((one) => `${one.label} ${count(one.values.at(-1) ?? 0)}`).join(', ');
  return html`<figure class="chart">
    <div ref=${box} role="img" aria-label=${`${label}: ${summary}`} class="plot"></div>
    ${trouble && html`<p class="muted">The chart could not be loaded.</p>`}
    <figcaption class="legend">${series.map((one) => html`<span><i class=${`swatch ${one.colour}`}></i>${one.label}
      <b>${count(one.values[index] ?? 0)}</b></span>`)}<span class="muted">at ${duration(times[index] ?? 0)}</span></figcaption></figure>`;
}
