/** Checks the hooks of a gateway and sorts them by their kind. */
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewayHooks, HookResult } from './hook-types.ts';

/** A hook of one kind. */
export type Hook<Args extends readonly unknown[]> = (...args: Args) => HookResult | Promise<HookResult>;

type ArgsOf<Name extends keyof GatewayHooks> = Parameters<NonNullable<GatewayHooks[Name]>>;

/** The hooks of a gateway by their kind, in the order of their calls. */
export type HookLists = { readonly [Name in keyof GatewayHooks]-?: readonly Hook<ArgsOf<Name>>[] };

/** Names of the hooks. */
export const HOOK_NAMES = [
  'onRequest',
  'onEvent',
  'onReply',
  'onProblem',
] as const satisfies readonly (keyof GatewayHooks)[];

/**
 * Gives hooks their types. Make the result the default export of a file for `--hooks`.
 *
 * @param hooks the hooks.
 * @returns the same object.
 * @throws {ZeroMQConfigError} when a member is not a hook.
 * @example
 * ```ts
 * export default defineHooks({
 *   onProblem(problem, { log, requestId }) {
 *     if (problem.status >= 500) log.warn({ requestId, code: problem.code }, 'a request failed');
 *   },
 * });
 * ```
 */
export function defineHooks(hooks: GatewayHooks): GatewayHooks {
  checkHooks(hooks, 'defineHooks');
  return hooks;
}

/**
 * Sorts hooks by their kind. `onRequest` and `onEvent` run in the order of the objects, `onReply` and
 * `onProblem` in the opposite order, so that the first object is the outermost.
 *
 * @returns undefined if there is no hook.
 * @throws {ZeroMQConfigError} when a member is not a hook; the message names it.
 */
export function hookLists(hooks: GatewayHooks | readonly GatewayHooks[] | undefined): HookLists | undefined {
  const all: readonly GatewayHooks[] = hooks === undefined ? [] : [hooks].flat();
  for (const [index, each] of all.entries())
    checkHooks(each, Array.isArray(hooks) ? `hooks[${index}]` : 'hooks');
  const list = <Name extends keyof GatewayHooks>(name: Name): Hook<ArgsOf<Name>>[] =>
    all.flatMap((each) => {
      const hook = each[name] as Hook<ArgsOf<Name>> | undefined;
      return hook === undefined ? [] : [(...args) => hook.apply(each, args)];
    });
  const lists: HookLists = {
    onRequest: list('onRequest'),
    onEvent: list('onEvent'),
    onReply: list('onReply').reverse(),
    onProblem: list('onProblem').reverse(),
  };
  return HOOK_NAMES.some((name) => lists[name].length > 0) ? lists : undefined;
}

/**
 * Checks the members of hooks.
 *
 * @param name what they are, for the message.
 * @throws {ZeroMQConfigError} when a member is not a hook.
 */
export function checkHooks(hooks: unknown, name: string): asserts hooks is GatewayHooks {
  if (typeof hooks !== 'object' || hooks === null) {
    const got = hooks === null ? 'null' : typeof hooks;
    throw new ZeroMQConfigError(`${name} must be an object with ${HOOK_NAMES.join(', ')}, got ${got}`);
  }
  for (const [key, value] of Object.entries(hooks)) {
    if (typeof value !== 'function' || (HOOK_NAMES as readonly string[]).includes(key)) continue;
    throw new ZeroMQConfigError(`${name}.${key} is not a hook; hooks are ${HOOK_NAMES.join(', ')}`);
  }
  for (const key of HOOK_NAMES) {
    const value = (hooks as Record<string, unknown>)[key];
    if (value === undefined || typeof value === 'function') continue;
    const got = value === null ? 'null' : typeof value;
    throw new ZeroMQConfigError(`${name}.${key} must be a function, got ${got}`);
  }
}
