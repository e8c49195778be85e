/**
 * Checks a running service against its OpenAPI document with generated requests.
 *
 * Own code, because no package fits: it needs invalid requests of which each breaks one rule, and
 * values in all parameter styles, from the normalised document and with the validators that the
 * gateway uses.
 */
import { ApiRegistry, putDocument } from '../../gateway/index.ts';
import { ZeroMQConfigError } from '../../index.ts';
import { type Operation, Samples } from '../../openapi/index.ts';
import { type Case, type CaseKind, curlOf } from './case.ts';
import { OperationPlan } from './plan.ts';
import { type Received, ReplyChecker, type Verdict } from './reply-check.ts';
import {
  type ContractFailure,
  type ContractOperationReport,
  type ContractReport,
  ContractTestError,
} from './report.ts';

/** Options of {@link testContract}. */
export interface ContractTestOptions {
  /**
   * Seed of the generated values. The same seed sends the same requests.
   *
   * @defaultValue 1
   */
  readonly seed?: number;
  /**
   * Maximum number of requests. The operations share them evenly.
   *
   * @defaultValue 2,000
   */
  readonly maxRequests?: number;
  /**
   * Maximum duration of the test in milliseconds.
   *
   * @defaultValue 60,000
   */
  readonly maxTime?: number;
  /**
   * Maximum duration of a request in milliseconds. A longer one counts as a failure.
   *
   * @defaultValue 10,000
   */
  readonly timeout?: number;
  /**
   * Headers of all requests, such as `authorization`.
   *
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Selects operations. Methods are in lower case.
   *
   * @defaultValue all operations
   */
  readonly include?: (operation: {
    readonly method: string;
    readonly path: string;
    readonly operationId: string | undefined;
    readonly eventName: string;
  }) => boolean;
  /**
   * Sends the requests, such as `fetch` of a {@link TestWorker}.
   *
   * @defaultValue the global `fetch`
   */
  readonly fetch?: (input: string, init?: RequestInit) => Promise<Response>;
}

/** Length of the response body in a failure. */
const BODY_LENGTH = 500;

/**
 * Sends generated requests to a running gateway or other HTTP service, and checks that it behaves
 * as its OpenAPI document says. Valid requests, and those at the bounds of the document, must get a
 * response that the document lists: status, content type, schema and required headers. Requests
 * that break one rule must get a status of 400 to 499.
 *
 * It sends requests of all methods, so run it against a service whose data may change.
 *
 * @param document the document, its file, or its URL.
 * @param baseUrl URL before the paths of the document, such as `http://127.0.0.1:8080`.
 * @param options limits, seed and headers.
 * @returns the report, if all responses conform.
 * @throws {ContractTestError} when a response does not conform; `report` has all of them.
 * @throws {ContractError} when the document cannot be used.
 * @throws {ZeroMQConfigError} when the service cannot be reached, or no operation is selected.
 * @example
 * ```ts
 * const { requests } = await testContract('openapi/tasks.yaml', 'http://127.0.0.1:8080', { seed: 7 });
 * ```
 */
export async function testContract(
  document: string | URL | object,
  baseUrl: string | URL,
  options: ContractTestOptions = {},
): Promise<ContractReport> {
  const { seed = 1, include = () => true } = options;
  const snapshot = (await read(document, options.timeout)).snapshot();
  const operations = snapshot.operations.filter(include);
  if (operations.length === 0) throw new ZeroMQConfigError('testContract: no operation is selected');
  const samples = new Samples(snapshot.document, seed);
  const run = new Run(
    String(baseUrl).replace(/\/$/, ''),
    options,
    new ReplyChecker(snapshot.document, samples),
  );
  const report = await run.all(operations.map((operation) => new OperationPlan(operation, samples)));
  if (report.failures.length > 0) throw new ContractTestError(report);
  return report;
}

async function read(document: string | URL | object, timeout = 10_000): Promise<ApiRegistry> {
  const registry = new ApiRegistry();
  if (document instanceof URL || (typeof document === 'string' && /^https?:\/\//i.test(document))) {
    const response = await fetch(document, { signal: AbortSignal.timeout(timeout) });
    if (!response.ok) {
      throw new ZeroMQConfigError(`testContract: ${String(document)} responded with ${response.status}`);
    }
    registry.put(String(document), await response.text());
  } else if (typeof document === 'string') putDocument(registry, document);
  else registry.put('document', document);
  return registry;
}

/** Counts of one operation. */
class Tally {
  readonly requests: Record<CaseKind, number> = { valid: 0, boundary: 0, invalid: 0 };
  readonly statuses: Record<string, number> = {};
  failures = 0;
  skipped = 0;

  count({ kind }: Case, status: number | undefined, { outcome }: Verdict): void {
    this.requests[kind] += 1;
    const key = status === undefined ? 'none' : String(status);
    this.statuses[key] = (this.statuses[key] ?? 0) + 1;
    if (outcome === 'failed') this.failures += 1;
    if (outcome === 'skipped') this.skipped += 1;
  }
}

/** One run of a contract test. */
class Run {
  private readonly failures: ContractFailure[] = [];
  private requests = 0;
  private readonly endsAt: number;

  constructor(
    private readonly baseUrl: string,
    private readonly options: ContractTestOptions,
    private readonly checker: ReplyChecker,
  ) {
    this.endsAt = performance.now() + (options.maxTime ?? 60_000);
  }

  /** Sends the requests of all operations in turn, so that a limit cuts all of them alike. */
  async all(plans: readonly OperationPlan[]): Promise<ContractReport> {
    const { seed = 1, maxRequests = 2000 } = this.options;
    const running = plans.map((plan) => ({ plan, cases: plan.cases(), tally: new Tally() }));
    const isOver = (): boolean => this.requests >= maxRequests || performance.now() >= this.endsAt;
    const left = new Set(running);
    while (left.size > 0 && !isOver()) {
      for (const one of left) {
        const next = one.cases.next();
        if (next.done === true) left.delete(one);
        else await this.send(next.value, one.tally);
        if (isOver()) break;
      }
    }
    const operations = running.map(({ plan, tally }): ContractOperationReport => {
      const { requests, statuses, failures, skipped } = tally;
      return { operation: nameOf(plan.operation), requests, statuses, failures, skipped, gaps: plan.gaps };
    });
    const { requests, failures } = this;
    return { requests, operations, failures, complete: left.size === 0, seed };
  }

  private async send(sent: Case, tally: Tally): Promise<void> {
    this.requests += 1;
    let received: Received | undefined;
    let verdict: Verdict;
    try {
      received = await this.exchange(sent);
      verdict = this.checker.check(sent, received);
    } catch (error) {
      verdict = { outcome: 'failed', problems: [this.problemOf(error)] };
    }
    tally.count(sent, received?.status, verdict);
    if (verdict.outcome !== 'failed') return;
    this.failures.push({
      operation: nameOf(sent.operation),
      kind: sent.kind,
      what: sent.what,
      problems: verdict.problems,
      curl: curlOf(sent, this.baseUrl, this.options.headers ?? {}),
      status: received?.status,
      body: received?.text.slice(0, BODY_LENGTH) ?? '',
    });
  }

  private async exchange({ method, target, headers, body }: Case): Promise<Received> {
    const { fetch: send = fetch, timeout = 10_000 } = this.options;
    const response = await send(this.baseUrl + target, {
      method,
      headers: { ...this.options.headers, ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** @throws {ZeroMQConfigError} when the very first request does not reach a service. */
  private problemOf(error: unknown): string {
    const { name, message, cause } = error as Error & { cause?: Error & { code?: string } };
    if (name === 'TimeoutError') return `no response within ${this.options.timeout ?? 10_000} ms`;
    const reason = cause?.code ?? cause?.message ?? message;
    if (this.requests === 1) {
      throw new ZeroMQConfigError(`testContract: cannot reach ${this.baseUrl}: ${reason}`, { cause: error });
    }
    return `no response: ${reason}`;
  }
}

function nameOf({ method, path }: Operation): string {
  return `${method.toUpperCase()} ${path}`;
}
