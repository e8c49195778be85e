/** Reads the output of `npm audit --json` and decides whether the check fails. */

const SERIOUS = ['high', 'critical'];

interface Report {
  readonly message?: string;
  readonly error?: { readonly summary?: string };
  readonly vulnerabilities?: Readonly<
    Record<string, { name: string; severity: string; range: string; via: (string | { title: string })[] }>
  >;
}

/** `unknown`: the registry did not answer the query. */
export interface Audit {
  readonly verdict: 'clean' | 'vulnerable' | 'unknown';
  readonly lines: readonly string[];
}

/** @param output standard output of `npm audit --json` */
export function auditVerdict(output: string): Audit {
  let report: Report;
  try {
    report = JSON.parse(output) as Report;
  } catch {
    return { verdict: 'unknown', lines: ['npm audit gave no report'] };
  }
  if (report.vulnerabilities === undefined) {
    const why = report.message ?? report.error?.summary ?? 'no reason given';
    return { verdict: 'unknown', lines: [`the registry was not asked, or did not answer: ${why}`] };
  }
  const serious = Object.values(report.vulnerabilities).filter(({ severity }) => SERIOUS.includes(severity));
  const lines = serious.map(({ name, severity, range, via }) => {
    const titles = via.map((each) => (typeof each === 'string' ? `through ${each}` : each.title));
    return `${name} ${range}: ${severity}: ${titles.join('; ')}`;
  });
  return { verdict: serious.length > 0 ? 'vulnerable' : 'clean', lines };
}
