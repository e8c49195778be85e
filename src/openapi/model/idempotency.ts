/** The extension `x-idempotency`: the header Idempotency-Key of an operation. */
import { ContractError } from '../../contract/errors.ts';
import { checkKeyUse } from '../../contract/idempotency-checks.ts';
import { type JsonObject, member } from '../../contract/json.ts';
import type { Components } from './component-reference.ts';
import type { HttpMethod } from './operation.ts';
import type { Parameter } from './parameters.ts';
import { streamFieldsOf } from './streams.ts';

/** The header field of the key, as draft-ietf-httpapi-idempotency-key-header-07 names it. */
export const KEY_HEADER = 'Idempotency-Key';

/** Member of the header parameter with the key, which is not event data. */
export const KEY_MARK = 'x-idempotency-key';

/** What a checked operation says about its key. */
export function idempotencyOf(operation: JsonObject): 'optional' | 'required' | undefined {
  const rule = member(operation, 'x-idempotency');
  return rule === 'optional' || rule === 'required' ? rule : undefined;
}

/**
 * Checks whether an operation can have keys.
 *
 * @throws {ContractError} when it cannot.
 */
export function checkIdempotency(components: Components, method: HttpMethod, operation: JsonObject): void {
  if (idempotencyOf(operation) === undefined) return;
  const { streamsReply, streamsBody } = streamFieldsOf(components, operation, '');
  const problem = checkKeyUse(method, streamsReply || streamsBody);
  if (problem !== undefined) throw new ContractError(`x-idempotency ${problem}`);
}

/** The header parameter of the key, unless the document describes it itself. */
export function keyParameter(operation: JsonObject, parameters: readonly Parameter[]): JsonObject[] {
  const rule = idempotencyOf(operation);
  const isKey = ({ in: location, name }: Parameter): boolean =>
    location === 'header' && name.toLowerCase() === KEY_HEADER.toLowerCase();
  if (rule === undefined || parameters.some(isKey)) return [];
  return [
    {
      name: KEY_HEADER,
      in: 'header',
      required: rule === 'required',
      description:
        'Unique value of the request, such as a UUID in double quotes. A retry with the same value and data ' +
        'gets the reply of the first request, and does not run again.',
      schema: { type: 'string', minLength: 1, maxLength: 257 },
      [KEY_MARK]: true,
    },
  ];
}
