/** Loads the hooks of a gateway from files. */
import { statSync } from 'node:fs';
import { loadModule } from '../../core/identity/load-module.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { checkHooks, hookLists } from '../../gateway/common/hooks.ts';
import type { GatewayHooks } from '../../gateway/index.ts';
import { optional } from '../settings/settings.ts';
import { file, list } from '../settings/value-types.ts';

/** Settings of commands that run a gateway with hooks. */
export const HOOK_SETTINGS = {
  hooks: optional(list(file), {
    description: 'TypeScript or JavaScript file with hooks of the gateway as its default export',
    group: 'HTTP',
    defaultNote: 'no hooks',
  }),
};

/** When each file was last modified at its first load. */
const firstVersions = new Map<string, string>();

/** A text that differs after a change of the file; empty for the version that was loaded first. */
function versionOf(name: string): string {
  const version = String(statSync(name, { throwIfNoEntry: false })?.mtimeMs ?? '');
  if (!firstVersions.has(name)) firstVersions.set(name, version);
  return firstVersions.get(name) === version ? '' : version;
}

/**
 * Loads files with hooks, and loads changed files again. Those of the first file are the outermost.
 *
 * @throws {ZeroMQConfigError} when a file cannot be loaded, or exports no hooks; the message names
 *   the file and its export.
 */
export async function loadHooks(files: readonly string[] | undefined): Promise<GatewayHooks[]> {
  const all: GatewayHooks[] = [];
  for (const name of files ?? []) {
    const { path, exported } = await loadModule(name, 'hooks', versionOf(name));
    const [first, nested] = exported;
    const found = nested === undefined ? first : nested;
    const entries: [place: string, hooks: unknown][] = Array.isArray(found)
      ? found.map((each, index) => [`[${index}]`, each])
      : [['', found]];
    const hooks: GatewayHooks[] = [];
    for (const [place, each] of entries) {
      checkHooks(each, `${path}: the default export${place}`);
      hooks.push(each);
    }
    all.push(...hooks);
    if (hookLists(hooks) === undefined)
      throw new ZeroMQConfigError(`${path}: the default export has no hooks`);
  }
  return all;
}
