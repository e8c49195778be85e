import type Joi from 'joi';
import type { OpenAPIV3_1 } from 'openapi-types';
import { atCaller } from '../core/messages/caller-stack.ts';
import { suggestion } from '../core/messages/suggestion.ts';
import type { CheckedEvents, ContractDefinition, EventDefinition, EventDefinitions } from './definition.ts';
import { checkDefinition } from './definition-checks.ts';
import { ContractError } from './errors.ts';
import { fragmentOf } from './fragment.ts';
import { type Validation, validateData } from './standard-schema.ts';

/**
 * A contract: events with their data, replies and HTTP bindings. Created by {@link defineContract}.
 */
export interface Contract<Events extends EventDefinitions = EventDefinitions> {
  /** Name of the contract. */
  readonly name: string;
  /** Its version, if it has one. */
  readonly version?: string;
  /** Share of the requests for its version, in percent, if it has one. */
  readonly weight?: number;
  /**
   * Whether Joi converts data before it validates them.
   *
   * @defaultValue true
   */
  readonly convert?: boolean;
  /** Its events, by name. */
  readonly events: Events;
  /** Names of its events. */
  readonly eventNames: readonly string[];
  /**
   * Returns the contract as an OpenAPI 3.1 document with `x-event-name` on each operation. Computed
   * once.
   */
  fragment(): OpenAPIV3_1.Document;
  /**
   * Validates the data of an event and converts it as its schema says. Data of events without a
   * schema, or outside the contract, passes unchanged.
   *
   * @param eventName name of the event.
   * @param data event data.
   * @returns the converted data, or the problems found.
   */
  validate(eventName: string, data: unknown): Validation;
}

/**
 * Defines a contract in TypeScript, with schemas of Joi or of another library with Standard Schema.
 *
 * @param definition name, events and defaults of the contract.
 * @returns the contract, for `contract` of workers and servers.
 * @throws {ContractError} when the contract cannot be served; the message has contract, event and
 * reason.
 * @example
 * ```ts
 * const tasks = defineContract({
 *   name: 'tasks',
 *   events: {
 *     'tasks.get': {
 *       method: 'GET',
 *       path: '/tasks/{id}',
 *       data: Joi.object({ id: Joi.number().integer().required() }),
 *     },
 *   },
 * });
 * ```
 */
export function defineContract<const Events extends EventDefinitions>(
  definition: ContractDefinition<Events> & CheckedEvents<Events>,
): Contract<Events> {
  return atCaller(defineContract, () => contractOf<Events>(definition));
}

function contractOf<Events extends EventDefinitions>(
  definition: ContractDefinition<Events>,
): Contract<Events> {
  checkDefinition(definition);
  const { name, version, weight, events, convert = true } = definition;
  const known = new Map<string, EventDefinition>(Object.entries(events));
  const fragment = fragmentOf(definition);
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(weight === undefined ? {} : { weight }),
    ...(convert ? {} : { convert }),
    events,
    eventNames: [...known.keys()],
    fragment: () => fragment,
    validate(eventName, data) {
      const schema = known.get(eventName)?.data;
      return schema === undefined ? { value: data } : validateData(schema, data, convert);
    },
  };
}

/**
 * Gives a Joi schema the type of its values, which Joi cannot infer from its rules. For objects,
 * `Joi.object<Data>()` does the same.
 *
 * @typeParam Data type of the values after conversion. It is not checked against the schema.
 * @param schema any Joi schema.
 * @returns the same schema.
 * @example
 * ```ts
 * const data = typed<Circle | Square>(Joi.alternatives(circle, square));
 * ```
 */
export function typed<Data>(schema: Joi.Schema): Joi.AnySchema<Data> {
  return schema;
}

/**
 * Checks that handlers match a contract.
 * @throws {ContractError} with every event without a handler and every handler without an event.
 */
export function assertHandlers(contract: Contract, handlers: Readonly<Record<string, unknown>>): void {
  const missing = contract.eventNames.filter((name) => typeof ownMember(handlers, name) !== 'function');
  const unknown = Object.keys(handlers)
    .filter((name) => !contract.eventNames.includes(name))
    .map((name) => name + suggestion(name, missing));
  const problems = [
    ...(missing.length > 0 ? [`no handler for ${missing.join(', ')}`] : []),
    ...(unknown.length > 0 ? [`handlers for events outside the contract: ${unknown.join(', ')}`] : []),
  ];
  if (problems.length > 0)
    throw new ContractError(problems.join('; '), { source: `contract ${contract.name}` });
}

function ownMember(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
