/**
 * Charts as SVG, for the benchmarks and the soak test: without scripts and fonts, readable on light
 * and dark pages.
 */

/** A bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Text at the end of the bar. */
  readonly text: string;
  /** Whether to draw the bar in the accent colour. */
  readonly highlighted?: boolean;
}

/** A line over time. */
export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 760;
const TOP = 44;

/** Layout of bar charts. */
const LABEL_WIDTH = 240;
const TEXT_WIDTH = 90;
const BAR = 22;
const GAP = 8;

/** Layout of line charts. */
const LINE_HEIGHT = 320;
const LEFT = 56;
const RIGHT = 120;
const BOTTOM = 32;
const COLOURS = ['#0969da', '#bc4c00', '#1a7f37', '#8250df'];

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:15px}
.bar{fill:#8c959f}.highlighted{fill:#0969da}.grid{stroke:#8c959f;stroke-opacity:.35}path{fill:none;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.highlighted{fill:#58a6ff}}`;

function svg(title: string, height: number, content: readonly string[]): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="20">${escape(title)}</text>`,
    ...content,
    '</svg>',
  ].join('\n')}\n`;
}

/** Draws horizontal bars in the given order. Their lengths are proportional to the values. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = TOP + bars.length * (BAR + GAP) + GAP;
  const longest = Math.max(...bars.map((bar) => bar.value), Number.MIN_VALUE);
  const scale = (WIDTH - LABEL_WIDTH - TEXT_WIDTH) / longest;
  return svg(
    title,
    height,
    bars.map((bar, i) => drawBar(bar, TOP + i * (BAR + GAP), Math.max(1, bar.value * scale))),
  );
}

function drawBar(bar: Bar, y: number, width: number): string {
  const middle = y + BAR / 2 + 5;
  const length = width.toFixed(1);
  const end = (LABEL_WIDTH + width + 6).toFixed(1);
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${escape(bar.label)}</text>`,
    `<rect class="${bar.highlighted === true ? 'highlighted' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${length}" height="${BAR}" rx="3"/>`,
    `<text x="${end}" y="${middle}">${escape(bar.text)}</text>`,
  ].join('');
}

/** Draws lines over minutes. The vertical axis starts at 0. */
export function lineChart(title: string, unit: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const end = Math.max(...points.map(({ x }) => x), Number.MIN_VALUE);
  const top = niceTop(Math.max(...points.map(({ y }) => y), 1));
  const x = (value: number): number => LEFT + (value / end) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => LINE_HEIGHT - BOTTOM - (value / top) * (LINE_HEIGHT - TOP - BOTTOM);
  const steps = [0, 0.25, 0.5, 0.75, 1];
  return svg(title, LINE_HEIGHT, [
    ...steps.map((step) => horizontal(y(step * top), `${round(step * top)}${step === 1 ? ` ${unit}` : ''}`)),
    ...steps.map((step) => {
      const label = `${round(step * (end / 60))}${step === 1 ? ' min' : ''}`;
      return `<text x="${x(step * end).toFixed(1)}" y="${LINE_HEIGHT - 10}" text-anchor="middle">${label}</text>`;
    }),
    ...lines.map((line, index) => drawLine(line, COLOURS[index % COLOURS.length] ?? '', x, y)),
    ...legend(lines, y),
  ]);
}

function horizontal(at: number, label: string): string {
  const y = at.toFixed(1);
  return (
    `<line class="grid" x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}"/>` +
    `<text x="${LEFT - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`
  );
}

function drawLine(
  line: Line,
  colour: string,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const path = line.points.map((point) => `${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join('L');
  return `<path d="M${path}" style="stroke:${colour}"/>`;
}

/** Labels at the ends of the lines, moved apart where they would overlap. */
function legend(lines: readonly Line[], y: (value: number) => number): string[] {
  let lowest = -Infinity;
  return lines
    .map((line, index) => ({
      line,
      colour: COLOURS[index % COLOURS.length],
      at: y(line.points.at(-1)?.y ?? 0),
    }))
    .sort((a, b) => a.at - b.at)
    .map(({ line, colour, at }) => {
      lowest = Math.max(at + 4, lowest + 15);
      return `<text x="${WIDTH - RIGHT + 8}" y="${lowest.toFixed(1)}" style="fill:${colour}">${escape(line.label)}</text>`;
    });
}

function niceTop(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 4, 5, 8, 10].map((step) => step * power).find((step) => step >= highest) ?? highest;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
