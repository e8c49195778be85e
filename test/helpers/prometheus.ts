/** Reads the text format of Prometheus. */
import assert from 'node:assert/strict';

/** Returns the lines of the samples with this name. */
export function samplesIn(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

function labelsOf(line: string): Record<string, string> {
  const pairs = [...line.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** Returns the sorted names of a sample's labels. */
export function labelsIn(text: string, name: string): string[] {
  const [first] = samplesIn(text, name);
  assert.ok(first !== undefined, `the text has no sample ${name}`);
  return Object.keys(labelsOf(first)).sort();
}

/** Returns the value of the sample with exactly these labels, or undefined if there is none. */
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
