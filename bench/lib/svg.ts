/** Bar charts as SVG: without scripts and fonts, readable on light and dark pages. */

/** A bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Text at the end of the bar. */
  readonly text: string;
  readonly ours?: boolean;
}

const WIDTH = 760;
const LABEL_WIDTH = 240;
const TEXT_WIDTH = 90;
const BAR = 22;
const GAP = 8;
const TOP = 44;
const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:15px}
.bar{fill:#8c959f}.ours{fill:#0969da}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#58a6ff}}`;

/** Draws horizontal bars in the given order. Their lengths are proportional to the values. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = TOP + bars.length * (BAR + GAP) + GAP;
  const longest = Math.max(...bars.map((bar) => bar.value), Number.MIN_VALUE);
  const scale = (WIDTH - LABEL_WIDTH - TEXT_WIDTH) / longest;
  const drawn = bars.map((bar, i) => drawBar(bar, TOP + i * (BAR + GAP), Math.max(1, bar.value * scale)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="20">${escape(title)}</text>`,
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
}

function drawBar(bar: Bar, y: number, width: number): string {
  const middle = y + BAR / 2 + 5;
  const length = width.toFixed(1);
  const end = (LABEL_WIDTH + width + 6).toFixed(1);
  return [
    `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${escape(bar.label)}</text>`,
    `<rect class="${bar.ours === true ? 'ours' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${length}" height="${BAR}" rx="3"/>`,
    `<text x="${end}" y="${middle}">${escape(bar.text)}</text>`,
  ].join('');
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
