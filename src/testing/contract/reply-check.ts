/** Checks a response against a document. */
import { memberOfMethod, PROBLEM_MEDIA_TYPE, type Samples } from '../../openapi/index.ts';
import { isJson } from './bodies.ts';
import type { Case } from './case.ts';

/** A response that was read to its end. */
export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * What a response shows. `passed` and `failed`; `skipped` if the server answered for a reason that
 * the request does not show, such as a rate limit.
 */
export interface Verdict {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly problems: readonly string[];
}

/** An object of the document. */
type Part = Readonly<Record<string, unknown>>;

/** Statuses with which a server rejects a request for its content. */
const REJECTED: ReadonlySet<number> = new Set([400, 405, 406, 411, 413, 414, 415, 422, 431]);

/** Statuses for reasons other than the content of the request. */
const UNRELATED: ReadonlySet<number> = new Set([408, 429]);
const CREDENTIALS: ReadonlySet<number> = new Set([401, 403]);

/** Maximum number of problems of one body that are reported. */
const MAX_PROBLEMS = 5;

/** Checks the responses of one document. */
export class ReplyChecker {
  constructor(
    private readonly document: unknown,
    private readonly samples: Samples,
  ) {}

  /** Returns what a response to a request shows. */
  check(sent: Case, received: Received): Verdict {
    const { status } = received;
    if (UNRELATED.has(status)) return { outcome: 'skipped', problems: [] };
    // Credentials are checked before the content.
    if (sent.kind === 'invalid' && CREDENTIALS.has(status)) return { outcome: 'skipped', problems: [] };
    const problems = [...this.problemsOf(sent, received)];
    return { outcome: problems.length === 0 ? 'passed' : 'failed', problems };
  }

  private *problemsOf(sent: Case, received: Received): Generator<string> {
    const { kind, operation, method } = sent;
    const { status, text, headers } = received;
    const contentType = headers.get('content-type') ?? '';
    const isProblem = contentType.startsWith(PROBLEM_MEDIA_TYPE);
    if (status >= 500) yield `status ${status}: the server failed`;
    else if (kind === 'invalid' && status < 400)
      yield `status ${status}: the server accepted an invalid request`;
    else if (kind !== 'invalid' && REJECTED.has(status)) {
      yield `status ${status}: the server rejected a request that the document allows`;
    }
    const responses = this.responsesOf(operation);
    const listed = responses.find(([pattern]) => covers(pattern, status));
    const isExpected = kind === 'invalid' && status >= 400 && status < 500 && isProblem;
    if (listed === undefined && !isExpected) {
      const hint = CREDENTIALS.has(status) ? '; pass credentials with the option headers' : '';
      const known = responses.map(([pattern]) => pattern).join(', ') || 'none';
      yield `status ${status} is not listed; listed are ${known}${hint}`;
    }
    if (method === 'HEAD' || text === '') {
      if (listed !== undefined) yield* missingHeaders(this.follow(listed[1]), headers);
      return;
    }
    if (isProblem) yield* problemFormat(text, status);
    if (listed === undefined) return;
    const response = this.follow(listed[1]);
    yield* missingHeaders(response, headers);
    yield* this.body(response, contentType, text);
  }

  private *body({ part: response, pointer }: Found, contentType: string, text: string): Generator<string> {
    const content = partOf(response, 'content');
    const types = Object.keys(content);
    if (types.length === 0) return;
    const type = types.find((one) => matches(one, contentType));
    if (type === undefined) {
      if (!contentType.startsWith(PROBLEM_MEDIA_TYPE)) {
        yield `content type ${contentType || '(none)'} is not listed; listed are ${types.join(', ')}`;
      }
      return;
    }
    if (!isJson(contentType)) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      yield `the body is not JSON: ${(error as Error).message}`;
      return;
    }
    const token = type.replaceAll('~', '~0').replaceAll('/', '~1');
    const validate = this.samples.validator(`${pointer}/content/${token}/schema`, 'response');
    if (validate(value)) return;
    for (const { instancePath, message, params } of (validate.errors ?? []).slice(0, MAX_PROBLEMS)) {
      const named = Object.values(params as Part);
      const detail = named.find((one) => typeof one === 'string');
      const note = detail === undefined || message?.includes(detail) === true ? '' : ` (${detail})`;
      yield `the body${instancePath === '' ? '' : ` at ${instancePath}`} ${message}${note}`;
    }
  }

  private responsesOf({ path, method }: Case['operation']): [pattern: string, response: Found][] {
    const operation = partOf(partOf(partOf(this.document as Part, 'paths'), path), memberOfMethod(method));
    const base = `/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${memberOfMethod(method)}/responses`;
    const all = Object.entries(partOf(operation, 'responses'));
    const found = all.map(([pattern, response]): [string, Found] => [
      pattern,
      { part: response as Part, pointer: `${base}/${pattern}` },
    ]);
    // The most specific entry counts (OpenAPI 3.1.1, 4.8.16).
    const rank = (pattern: string): number => (/^\d{3}$/.test(pattern) ? 0 : /^\dXX$/i.test(pattern) ? 1 : 2);
    return found.sort(([one], [other]) => rank(one) - rank(other));
  }

  private follow(found: Found): Found {
    const ref = found.part['$ref'];
    if (typeof ref !== 'string') return found;
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    const responses = partOf(partOf(this.document as Part, 'components'), 'responses');
    return { part: partOf(responses, name), pointer: ref.slice(1) };
  }
}

interface Found {
  readonly part: Part;
  readonly pointer: string;
}

function partOf(part: Part, name: string): Part {
  const value = Object.hasOwn(part, name) ? part[name] : undefined;
  return typeof value === 'object' && value !== null ? (value as Part) : {};
}

function covers(pattern: string, status: number): boolean {
  if (pattern === 'default' || pattern === String(status)) return true;
  return /^\dXX$/i.test(pattern) && pattern[0] === String(status)[0];
}

/** Whether a media type or range of the document covers a content type. Parameters do not matter. */
function matches(listed: string, contentType: string): boolean {
  const [wanted = '', given = ''] = [listed, contentType].map((one) =>
    one.split(';')[0]?.trim().toLowerCase(),
  );
  if (wanted === given || wanted === '*/*') return true;
  return wanted.endsWith('/*') && given.startsWith(wanted.slice(0, -1));
}

function* missingHeaders({ part }: Found, headers: Headers): Generator<string> {
  for (const [name, header] of Object.entries(partOf(part, 'headers'))) {
    const required = typeof header === 'object' && header !== null && 'required' in header && header.required;
    if (required === true && !headers.has(name)) yield `the required header ${name} is missing`;
  }
}

/** Checks problem details (RFC 9457, 3.1). */
function* problemFormat(text: string, status: number): Generator<string> {
  let problem: unknown;
  try {
    problem = JSON.parse(text);
  } catch {
    yield 'the problem document is not JSON';
    return;
  }
  if (typeof problem !== 'object' || problem === null || Array.isArray(problem)) {
    yield 'the problem document is not an object';
    return;
  }
  const members = problem as Part;
  for (const name of ['type', 'title', 'detail', 'instance']) {
    if (members[name] !== undefined && typeof members[name] !== 'string') {
      yield `${name} of the problem document is not a text`;
    }
  }
  if (members['status'] !== undefined && members['status'] !== status) {
    yield `status of the problem document is ${JSON.stringify(members['status'])}, not ${status}`;
  }
}
