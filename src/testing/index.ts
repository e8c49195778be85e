/**
 * testing: the public entry `zeromq-gateway/testing`. Runs workers in memory for tests, and checks
 * services against their contracts.
 */
export type { CaseKind } from './contract/case.ts';
export {
  type ContractFailure,
  type ContractOperationReport,
  type ContractReport,
  ContractTestError,
} from './contract/report.ts';
export { type ContractTestOptions, testContract } from './contract/test-contract.ts';
export { TestClock } from './test-clock.ts';
export type { TestDocument, TestGatewayOptions } from './test-gateway.ts';
export { type TestCall, type TestWorker, type TestWorkerOptions, testWorker } from './test-worker.ts';
