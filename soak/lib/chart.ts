/** Line charts over time as SVG: without scripts and fonts, readable on light and dark pages. */

/** A line. */
export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 760;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 120;
const TOP = 44;
const BOTTOM = 32;
const COLOURS = ['#0969da', '#bc4c00', '#1a7f37', '#8250df'];
const STYLE = `text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:15px}
.grid{stroke:#8c959f;stroke-opacity:.35}path{fill:none;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}}`;

/** Draws lines over minutes. The vertical axis starts at 0. */
export function lineChart(title: string, unit: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const end = Math.max(...points.map(({ x }) => x), Number.MIN_VALUE);
  const top = niceTop(Math.max(...points.map(({ y }) => y), 1));
  const x = (value: number): number => LEFT + (value / end) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const steps = [0, 0.25, 0.5, 0.75, 1];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${title}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="20">${title}</text>`,
    ...steps.map((step) => horizontal(y(step * top), `${round(step * top)}${step === 1 ? ` ${unit}` : ''}`)),
    ...steps.map((step) => {
      const label = `${round(step * (end / 60))}${step === 1 ? ' min' : ''}`;
      return `<text x="${x(step * end).toFixed(1)}" y="${HEIGHT - 10}" text-anchor="middle">${label}</text>`;
    }),
    ...lines.map((line, index) => drawn(line, COLOURS[index % COLOURS.length] ?? '', x, y)),
    ...legend(lines, y),
    '</svg>',
  ].join('\n')}\n`;
}

function horizontal(at: number, label: string): string {
  const y = at.toFixed(1);
  return (
    `<line class="grid" x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}"/>` +
    `<text x="${LEFT - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`
  );
}

function drawn(
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
      return `<text x="${WIDTH - RIGHT + 8}" y="${lowest.toFixed(1)}" style="fill:${colour}">${line.label}</text>`;
    });
}

function niceTop(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 4, 5, 8, 10].map((step) => step * power).find((step) => step >= highest) ?? highest;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
