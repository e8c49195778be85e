/**
 * Checks of the definition of a contract, before anything is derived from it: names of members,
 * their types, paths, methods, statuses and media types.
 */
import { STATUS_CODES } from 'node:http';
import { isReserved } from '../core/messages/event-name.ts';
import { suggestion } from '../core/messages/suggestion.ts';
import { checkEventName } from './claims.ts';
import type { ContractDefinition, EventDefinition, EventDefinitions, ReplyDefinition } from './definition.ts';
import { ContractError, type ContractLocation } from './errors.ts';
import { checkKeyUse } from './idempotency-checks.ts';
import { unreadable } from './media-types.ts';
import {
  type Check,
  type Checks,
  checkMembers,
  flag,
  list,
  object,
  oneOf,
  shown,
  text,
} from './member-checks.ts';
import { checkTemplate } from './path-checks.ts';
import { isAsync, isSchema, joiType } from './standard-schema.ts';
import { bodyProblem, checkStreamedReply, checkUpload } from './stream-checks.ts';
import { isStreamed } from './stream-replies.ts';

/** Maximum length of an event name in bytes on the wire. */
const MAX_NAME = 1024;
/** Maximum duration of a timer of Node.js, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;
const METHODS = ['GET', 'HEAD', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const STATUS = /^(?:[1-5]\d\d|[1-5]XX|default)$/;
const STATUSES = [...Object.keys(STATUS_CODES), '2XX', '3XX', '4XX', '5XX', 'default'];

const date: Check = (value) =>
  (typeof value === 'string' || value instanceof Date) && !Number.isNaN(new Date(value).getTime())
    ? undefined
    : `must be a date, got ${shown(value)}`;
const duration: Check = (value) =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_TIMEOUT
    ? undefined
    : `must be an integer from 1 to ${MAX_TIMEOUT}, in milliseconds, got ${shown(value)}`;
const schema: Check = (value) => (isSchema(value) ? undefined : NO_SCHEMA);

const NO_SCHEMA = 'must be a Joi schema or implement Standard Schema';

const CONTRACT: Checks<ContractDefinition> = {
  name: (value) => (text(value) === undefined && value !== '' ? undefined : 'must be a name'),
  version: (value) =>
    typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value)
      ? undefined
      : `must be a version such as 2.0.0, 1 to 64 letters, digits or .+-_, got ${shown(value)}`,
  weight: (value) =>
    typeof value === 'number' && value >= 0 && value <= 100
      ? undefined
      : `must be a number of percent from 0 to 100, got ${shown(value)}`,
  versionHeader: (value) =>
    typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value)
      ? undefined
      : `must be the name of a header, got ${shown(value)}`,
  info: object,
  tags: list,
  securitySchemes: object,
  security: list,
  convert: flag,
  events: object,
};

const EVENT: Checks<EventDefinition> = {
  method: oneOf(...METHODS),
  path: text,
  data: dataProblem,
  in: placementsProblem,
  bodyTypes: bodyTypesProblem,
  body: bodyProblem,
  replies: object,
  summary: text,
  description: text,
  operationId: text,
  tags: list,
  security: list,
  timeout: duration,
  stallTimeout: duration,
  async: (value) =>
    value === 'required'
      ? undefined
      : flag(value) && `must be true, false or 'required', got ${shown(value)}`,
  asyncTimeout: duration,
  idempotent: flag,
  idempotency: oneOf('optional', 'required'),
  deprecated: flag,
  deprecatedSince: date,
  sunset: date,
  etag: flag,
  stickyKey: text,
  unknownQuery: oneOf('reject', 'ignore'),
};

const REPLY: Checks<ReplyDefinition> = {
  description: text,
  data: schema,
  contentType: text,
  headers: object,
};

/**
 * Checks a definition of a contract.
 *
 * @throws {ContractError} with every event that has a problem.
 */
export function checkDefinition(definition: ContractDefinition): void {
  const { name, events } = definition;
  if (typeof name !== 'string' || name === '') throw new ContractError('a contract must have a name');
  const problems: ContractError[] = [];
  const check = (location: ContractLocation, run: () => void): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      problems.push(...error.problems.map((problem) => problem.around(location)));
    }
  };
  const source = { source: name };
  if (definition.weight !== undefined && definition.version === undefined) {
    problems.push(new ContractError('weight requires a version', source));
  }
  check(source, () => checkMembers({ ...definition, events: definition.events ?? null }, CONTRACT));
  for (const [event, one] of Object.entries<unknown>(object(events) === undefined ? events : {})) {
    check({ ...source, event }, () => checkEvent(event, one));
  }
  if (problems.length > 0) throw ContractError.of(problems);
  checkRoutes(name, events);
}

function checkEvent(event: string, definition: unknown): void {
  checkName(event);
  const problem = object(definition);
  if (problem !== undefined) throw new ContractError(`the definition ${problem}`);
  checkMembers(definition as EventDefinition, EVENT);
  const { method, path, replies } = definition as EventDefinition;
  if ((method === undefined) !== (path === undefined)) {
    throw new ContractError('method and path must be set together');
  }
  if (path !== undefined) checkPath(path, String(method));
  checkUpload(definition as EventDefinition);
  checkIdempotency(definition as EventDefinition);
  checkBodyTypes(definition as EventDefinition);
  for (const [status, reply] of Object.entries(replies ?? {})) checkReply(status, reply);
}

function checkPath(path: string, method: string): void {
  try {
    checkTemplate(path);
  } catch (error) {
    throw error instanceof ContractError ? error.within({ path, method }) : error;
  }
}

function checkName(event: string): void {
  if (event === '') throw new ContractError('an event must have a name');
  if (isReserved(event)) throw new ContractError('the name of an event must not start with $');
  if (/\s/.test(event)) {
    const name = event.trim().replaceAll(/\s+/g, '.');
    throw new ContractError(`the name of an event must not contain white space (did you mean ${name}?)`);
  }
  checkEventName(event, MAX_NAME);
}

function checkReply(status: string, reply: unknown): void {
  if (!STATUS.test(status)) {
    throw new ContractError(`a reply cannot have the status ${status}${suggestion(status, STATUSES)}`);
  }
  if (reply === null || typeof reply === 'string' || isSchema(reply)) return;
  if (isStreamed(reply)) {
    checkStreamedReply(status, reply);
    return;
  }
  const problem = object(reply);
  if (problem !== undefined) throw new ContractError(`the reply ${status} ${problem}`);
  checkMembers(reply as ReplyDefinition, REPLY, `the reply ${status}: `);
}

function dataProblem(data: unknown): string | undefined {
  if (!isSchema(data)) return NO_SCHEMA;
  if (isAsync(data)) return 'must not have asynchronous rules (external)';
  const type = joiType(data);
  return type === undefined || ['object', 'alternatives', 'any', 'link'].includes(type)
    ? undefined
    : `must be an object, not ${type}: event data is one object with named fields`;
}

function placementsProblem(placements: unknown): string | undefined {
  const problem = object(placements);
  if (problem !== undefined) return problem;
  const wrong = Object.entries(placements as object).find(([, placement]) => typeof placement !== 'string');
  return wrong && `must have a place for ${wrong[0]}, such as 'header:X-Name', got ${shown(wrong[1])}`;
}

function bodyTypesProblem(types: unknown): string | undefined {
  if (!Array.isArray(types) || types.length === 0)
    return `must be a list of media types, got ${shown(types)}`;
  const wrong: unknown = types.find((type) => typeof type !== 'string' || !/^[^\s/]+\/[^\s/]+/.test(type));
  return wrong === undefined ? undefined : `must be a list of media types, got ${shown(wrong)}`;
}

function checkIdempotency({ idempotency, method, body, replies = {} }: EventDefinition): void {
  if (idempotency === undefined || method === undefined) return;
  const streams = body !== undefined || Object.values(replies).some(isStreamed);
  const problem = checkKeyUse(method, streams);
  if (problem !== undefined) throw new ContractError(`idempotency ${problem}`);
}

/** A body whose members are fields of the data must be an object. */
function checkBodyTypes({ bodyTypes = [], in: placements = {} }: EventDefinition): void {
  if (Object.values(placements).includes('body')) return;
  const problem = unreadable(bodyTypes.map((mediaType) => ({ mediaType, objectOnly: true })));
  if (problem !== undefined) throw new ContractError(`bodyTypes cannot be served: ${problem}`);
}

/** Checks that no two events match the same requests: the names of parameters make no difference. */
function checkRoutes(source: string, events: EventDefinitions): void {
  const routes = new Map<string, string>();
  for (const [event, { method, path }] of Object.entries(events)) {
    if (method === undefined || path === undefined) continue;
    const route = `${method} ${path.replaceAll(/\{[^{}]*\}/g, '{}')}`;
    const other = routes.get(route);
    if (other !== undefined) {
      throw new ContractError(`the event ${other} has this method and path`, { source, event, method, path });
    }
    routes.set(route, event);
  }
}
