/**
 * Prints a line when it is loaded, then its identity for the config file in argv for each line of
 * stdin.
 */
import { createInterface } from 'node:readline';
import { type IdentitySection, loadIdentity } from '../../../src/core/identity/identity.ts';

const [path, section] = process.argv.slice(2) as [string, IdentitySection];

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { nodeId, sessionId } = await loadIdentity(`${path}${line}`, section);
  process.stdout.write(`${line} ${nodeId} ${sessionId}\n`);
}
