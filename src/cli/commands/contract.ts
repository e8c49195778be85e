/** `zeromq-gateway contract diff`: what changed between two versions of a document. */
import { runAtOnce } from '../../core/time/steps.ts';
import {
  CHANGE_LEVELS,
  type ChangeLevel,
  type ContractChange,
  compareDocuments,
} from '../../openapi/index.ts';
import { contractSource, readContract } from '../contract/source.ts';
import { type CommandContext, defineCommand } from '../settings/command.ts';
import { EXIT } from '../settings/errors.ts';
import { required, setting, type ValuesOf } from '../settings/settings.ts';
import { booleanFlag, choice, timeoutMilliseconds } from '../settings/value-types.ts';
import { painter } from '../terminal/colours.ts';

const settings = {
  what: required(choice('WHAT', 'diff'), {
    description: 'diff: list the changes from OLD to NEW for HTTP clients',
    positional: true,
  }),
  old: required(contractSource, {
    description: 'Earlier version: file or URL of an OpenAPI document, or a worker file with a contract',
    positional: true,
  }),
  new: required(contractSource, { description: 'Later version', positional: true }),
  failOn: setting(choice('LEVEL', 'breaking', 'warning', 'info', 'never'), {
    description: 'Lowest level of a change for which the exit code is 1: breaking, warning, info or never',
    default: 'breaking',
  }),
  json: setting(booleanFlag, { description: 'Print the changes as JSON', default: false }),
  timeout: setting(timeoutMilliseconds, {
    description: 'Timeout of a request for a document',
    default: 10_000,
  }),
};

type Values = ValuesOf<typeof settings>;
type Counts = Record<ChangeLevel, number>;

const COLOURS = { breaking: 'red', warning: 'yellow', info: 'dim' } as const;

async function diff(values: Values, context: CommandContext): Promise<number> {
  const { timeout, failOn } = values;
  const before = await readContract(values.old, 'old', timeout);
  const after = await readContract(values.new, 'new', timeout);
  const changes = runAtOnce(compareDocuments(before.ingested, after.ingested, Date.now()));
  const counts: Counts = { breaking: 0, warning: 0, info: 0 };
  for (const { level } of changes) counts[level] += 1;
  if (values.json) context.out(JSON.stringify({ counts, changes }, undefined, 2));
  else print(changes, counts, context);
  if (failOn === 'never') return EXIT.ok;
  const failing = CHANGE_LEVELS.slice(0, CHANGE_LEVELS.indexOf(failOn) + 1);
  return failing.some((level) => counts[level] > 0) ? EXIT.failed : EXIT.ok;
}

function print(changes: readonly ContractChange[], counts: Counts, context: CommandContext): void {
  const paint = painter(context.colours?.out);
  let last = '';
  for (const { method, path, level, text, rule } of changes) {
    const operation = `${method.toUpperCase()} ${path}`;
    if (operation !== last) context.out(paint('bold', operation));
    last = operation;
    context.out(`  ${paint(COLOURS[level], level.padEnd(8))}  ${text} ${paint('dim', `(${rule})`)}`);
  }
  const { breaking, warning, info } = counts;
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  context.out(
    changes.length === 0
      ? 'no changes for HTTP clients'
      : `${plural(breaking, 'breaking change')}, ${plural(warning, 'warning')}, ${plural(info, 'other change')}`,
  );
}

export const contractCommand = defineCommand({
  name: 'contract',
  description:
    'Compare two versions of an OpenAPI document or contract, and list what changes for HTTP clients, operation by ' +
    'operation. The exit code is 1 if there are breaking changes, and 2 if a version cannot be read.',
  settings,
  examples: [
    'contract diff openapi/tasks-1.yaml openapi/tasks.yaml',
    'contract diff http://127.0.0.1:8080/openapi.json workers/tasks.ts --json',
    'contract diff old.json new.json --fail-on warning',
  ],
  run: diff,
});
