/** Results of a contract test. */
import { AssertionError } from 'node:assert';
import type { CaseKind } from './case.ts';

/** A response that does not conform to the document. */
export interface ContractFailure {
  /** Method and path of the operation, such as `GET /tasks/{id}`. */
  readonly operation: string;
  /** Whether the request was `valid`, at a `boundary` of the document, or `invalid`. */
  readonly kind: CaseKind;
  /** What distinguishes the request from others, such as `the body: without title`. */
  readonly what: string;
  /** How the response differs from the document. */
  readonly problems: readonly string[];
  /** Command line that repeats the request. */
  readonly curl: string;
  /** Status of the response; undefined if there was none. */
  readonly status: number | undefined;
  /** Start of the response body. */
  readonly body: string;
}

/** What a contract test sent to one operation. */
export interface ContractOperationReport {
  /** Method and path, such as `GET /tasks/{id}`. */
  readonly operation: string;
  /** Number of requests of each kind. */
  readonly requests: Readonly<Record<CaseKind, number>>;
  /** Number of responses by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Number of failures. */
  readonly failures: number;
  /**
   * Number of responses that show nothing, because of a rate limit or missing credentials.
   */
  readonly skipped: number;
  /** What was not tested, with the reasons. */
  readonly gaps: readonly string[];
}

/** Result of {@link testContract}. */
export interface ContractReport {
  /** Number of requests. */
  readonly requests: number;
  /** The operations of the document, in its order. */
  readonly operations: readonly ContractOperationReport[];
  /** All failures, in the order of the requests. */
  readonly failures: readonly ContractFailure[];
  /** Whether all planned requests were sent: neither `maxRequests` nor `maxTime` ended the test. */
  readonly complete: boolean;
  /** Seed that repeats the test. */
  readonly seed: number;
}

/** Maximum length of a command line in the message of an error. */
const LONGEST = 1000;

/** Maximum number of failures in the message of an error. */
const SHOWN = 10;

/**
 * Responses did not conform to the document. Its message lists the first failures, each with a
 * command line that repeats the request.
 */
export class ContractTestError extends AssertionError {
  /** The whole result. */
  readonly report: ContractReport;

  /** @param report the result, with failures. */
  constructor(report: ContractReport) {
    super({ message: messageOf(report), operator: 'testContract' });
    this.name = 'ContractTestError';
    this.report = report;
  }
}

function messageOf({ failures, requests, seed }: ContractReport): string {
  const lines = [`${failures.length} of ${requests} responses do not conform to the document (seed ${seed})`];
  for (const { operation, kind, what, problems, curl } of failures.slice(0, SHOWN)) {
    lines.push('', `${operation}: ${kind} request, ${what}`);
    for (const problem of problems) lines.push(`  ${problem}`);
    lines.push(`  ${shortened(curl)}`);
  }
  if (failures.length > SHOWN) lines.push('', `and ${failures.length - SHOWN} more in report.failures`);
  return lines.join('\n');
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (all of it is in report.failures)`;
}
