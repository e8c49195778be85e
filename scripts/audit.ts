/**
 * `npm run audit:check`: fails if a package has a known vulnerability of severity high or critical.
 * If the registry does not support audits, the check prints this and passes.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { auditVerdict } from './lib/audit.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

const { stdout } = spawnSync('npm', ['audit', '--json'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  stdio: ['ignore', 'pipe', 'ignore'],
});
const { verdict, lines } = auditVerdict(stdout ?? '');
for (const line of lines) console.error(line);
if (verdict === 'unknown') console.log('NOT CHECKED: whether packages have known vulnerabilities');
else if (verdict === 'clean')
  console.log('no package has a known vulnerability of severity high or critical');
else process.exitCode = 1;
