/** Reading Prometheus' text format. */
import assert from 'node:assert/strict';

/** The lines of a sample's name. */
export function samplesIn(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

function labelsOf(line: string): Record<string, string> {
  const pairs = [...line.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** Names of the labels that a sample has, sorted. */
export function labelsIn(text: string, name: string): string[] {
  const [first] = samplesIn(text, name);
  assert.ok(first !== undefined, `there is no sample ${name}`);
  return Object.keys(labelsOf(first)).sort();
}

/** The value of the sample with exactly these labels; undefined where there is none. */
export function valueOf(text: string, name: string, labels: Record<string, string>): number | undefined {
  for (const line of samplesIn(text, name)) {
    const found = labelsOf(line);
    const same = Object.keys(found).length === Object.keys(labels).length;
    if (same && Object.entries(labels).every(([label, value]) => found[label] === value)) {
      return Number(line.slice(line.lastIndexOf(' ') + 1));
    }
  }
  return undefined;
}
