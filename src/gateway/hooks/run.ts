/** Runs hooks one after the other, each with a time limit. */
import { toError } from '../../core/messages/errors.ts';
import type { HookAnswer } from '../common/hook-types.ts';
import type { Hook, HookLists } from '../common/hooks.ts';
import type { GatewayContext } from '../context/gateway-context.ts';
import { isSendable } from './problem.ts';

/**
 * Runs hooks until one answers.
 *
 * @param limit time for each hook, in ms.
 * @returns the answer, or undefined after the last hook.
 * @throws what a hook threw, or an error for a hook that exceeds its time.
 */
export async function runHooks<Args extends readonly unknown[]>(
  name: keyof HookLists,
  hooks: readonly Hook<Args>[],
  args: Args,
  limit: number,
): Promise<HookAnswer | undefined> {
  for (const hook of hooks) {
    const answer = await within(hook(...args), limit, name);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function within<Value>(
  result: Value | PromiseLike<Value>,
  limit: number,
  name: string,
): Promise<Value> {
  if (!isThenable(result)) return result;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // A hook that never ends does not keep the process alive after the gateway has closed.
    timer = setTimeout(() => reject(new Error(`${name} did not end within ${limit} ms`)), limit).unref();
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Logs the failure of a hook, unless it threw an error for the caller. */
export function logFailure(
  { logger }: GatewayContext,
  fields: { readonly requestId: string; readonly event?: string; readonly hook: keyof HookLists },
  thrown: unknown,
): void {
  if (!isSendable(thrown)) logger.error({ err: toError(thrown), ...fields }, 'a hook failed');
}
