/** The problem that `onProblem` sees, and problems of failed hooks. */
import { jsonText } from '../../core/json/json-value.ts';
import { isReplyError, type ReplyError } from '../../core/messages/errors.ts';
import type { HookProblem } from '../common/hook-types.ts';
import { httpProblem, type Problem } from '../common/problem.ts';

/** Characters of a code. It is a part of a URI in `type`. */
const CODE = /^[\x21-\x7e]{1,255}$/;

export class ProblemOfHooks implements HookProblem {
  code: string;
  status: number;
  title: string;
  detail: string;
  errors: HookProblem['errors'];
  details: unknown;
  headers: Record<string, string | readonly string[]>;
  readonly dispatched: boolean | undefined;

  constructor(private readonly problem: Problem) {
    const { code, status, title, detail, dispatched, errors, details, headers = [] } = problem;
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.dispatched = dispatched;
    this.errors = errors;
    this.details = details;
    this.headers = {};
    for (let index = 0; index < headers.length; index += 2) {
      const name = (headers[index] ?? '').toLowerCase();
      const before = this.headers[name];
      const value = headers[index + 1] ?? '';
      this.headers[name] = before === undefined ? value : [before, value].flat();
    }
  }

  /**
   * The problem to respond with.
   *
   * @throws {TypeError} when a hook has set a member to an invalid value.
   */
  get changed(): Problem {
    const { code, status, title, detail, errors, details } = this;
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new TypeError(`onProblem: status must be 400 to 599, got ${String(status)}`);
    }
    if (typeof code !== 'string' || !CODE.test(code)) {
      throw new TypeError('onProblem: code must be 1 to 255 printable ASCII characters without spaces');
    }
    const texts = { title: String(title), detail: String(detail) };
    if (details !== this.problem.details) jsonText(details);
    return { ...this.problem, ...texts, code, status, errors, details, headers: headerList(this.headers) };
  }
}

/** The problem of a `ReplyError` that a hook threw. */
export function problemOfError(error: ReplyError, dispatched: boolean): Problem {
  const { code, status, message, details, headers = {} } = error;
  return { code, status, title: code, detail: message, dispatched, details, headers: headerList(headers) };
}

/** The problem of a hook that threw another error. */
export function problemOfThrown(thrown: unknown, dispatched: boolean): Problem {
  if (isReplyError(thrown) && isSendable(thrown)) return problemOfError(thrown, dispatched);
  const detail = 'A hook of the gateway failed; the log of the gateway contains the reason.';
  return { ...httpProblem('HOOK_ERROR', detail), dispatched };
}

/** Whether an error is one that a hook threw for the caller. */
export function isSendable(thrown: unknown): thrown is ReplyError {
  if (!isReplyError(thrown) || !(thrown.status >= 400 && thrown.status <= 599)) return false;
  try {
    jsonText(thrown.details);
    headerList(thrown.headers ?? {});
    return true;
  } catch {
    return false;
  }
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers as names and values in turn. */
function headerList(headers: Readonly<Record<string, string | readonly string[]>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((single) => {
      if (!NAME.test(name) || typeof single !== 'string' || !VALUE.test(single)) {
        throw new TypeError(`the header ${JSON.stringify(name)} is not valid`);
      }
      return [name, single];
    }),
  );
}
