/** The last 15 minutes, as charts of one event or all events, and as a sparkline for each event. */
import { byId, element, rate, setText, share, syncChildren, time } from './dom.js';

/** Length of the charts, in ms. */
const SPAN = 15 * 60_000;
/** A longer gap between two points interrupts the line, in ms. */
const GAP = 20_000;
const WIDTH = 300;
const HEIGHT = 40;
const SVG = 'http://www.w3.org/2000/svg';

/** The charts: each has one or two lines, by the position of their values in a point. */
const CHARTS = [
  { title: 'requests/s', lines: [{ name: '', at: 0 }], format: rate },
  {
    title: 'duration',
    lines: [
      { name: 'p50', at: 1 },
      { name: 'p99', at: 2 },
    ],
    format: time,
  },
  { title: 'failed', lines: [{ name: '', at: 3 }], format: share },
  { title: 'queued', lines: [{ name: '', at: 4 }], format: String },
];

let points = [];

/** Adds points from the listener. It sends all that it has when a view is opened. */
export function addPoints(more) {
  const first = more[0]?.at ?? Infinity;
  points = [...points.filter(({ at }) => at < first), ...more];
  const last = points.at(-1)?.at ?? 0;
  points = points.filter(({ at }) => last - at < SPAN);
}

const valuesOf = (point, name) => (name === '' ? point.all : point.events[name]);

/** The value of a line at each point; null where there is none. */
function seriesOf(name, index) {
  return points.map((point) => ({ at: point.at, value: valuesOf(point, name)?.[index] ?? null }));
}

/** The commands of an SVG path. The newest point is at the right. */
function pathOf(series, most) {
  const end = points.at(-1)?.at ?? 0;
  let before;
  return series
    .map(({ at, value }) => {
      if (value === null) {
        before = undefined;
        return '';
      }
      const move = before === undefined || at - before > GAP ? 'M' : 'L';
      before = at;
      const x = WIDTH * (1 - (end - at) / SPAN);
      const y = HEIGHT - 1 - (most === 0 ? 0 : (value / most) * (HEIGHT - 3));
      return `${move}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}

function drawing(className, count) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', className);
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const paths = Array.from({ length: count }, (_, index) => {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', `line-${index}`);
    svg.append(path);
    return path;
  });
  return { svg, paths };
}

const mostOf = (series) => series.reduce((most, { value }) => Math.max(most, value ?? 0), 0);

/** Creates a sparkline of the rate of an event, with a method `draw()`. */
export function sparkline(name) {
  const { svg, paths } = drawing('spark', 1);
  svg.draw = () => {
    const series = seriesOf(name, 0);
    const most = mostOf(series);
    paths[0].setAttribute('d', pathOf(series, most));
    svg.setAttribute('aria-label', `${name}: at most ${rate(most)} requests/s in the last 15 minutes`);
  };
  return svg;
}

function chart({ title, lines, format }) {
  const { svg, paths } = drawing('chart', lines.length);
  const caption = element('figcaption');
  const made = element('figure', '', caption, svg);
  made.show = () => {
    const name = byId('history-event').value;
    const all = lines.map(({ at }) => seriesOf(name, at));
    const most = Math.max(...all.map(mostOf));
    all.forEach((series, index) => paths[index].setAttribute('d', pathOf(series, most)));
    const latest = lines.map((line, index) => {
      const value = all[index].at(-1)?.value ?? null;
      return `${line.name} ${value === null ? '–' : format(value)}`.trim();
    });
    setText(caption, `${title}: ${latest.join(', ')} (at most ${format(most)})`);
    svg.setAttribute('aria-label', caption.textContent);
  };
  return made;
}

/** Draws the charts. */
export function showHistory() {
  const names = [...new Set(points.flatMap(({ events }) => Object.keys(events)))].sort();
  syncChildren(
    byId('history-event'),
    ['', ...names],
    (name) => name,
    (name) => {
      const made = element('option', '', name === '' ? 'all events' : name);
      made.value = name;
      made.show = () => undefined;
      return made;
    },
  );
  syncChildren(byId('charts'), CHARTS, ({ title }) => title, chart);
}

byId('history-event').addEventListener('change', showHistory);
