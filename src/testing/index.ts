/**
 * The public entry `zeromq-gateway/testing`: runs workers in memory for tests, and checks services
 * against their contracts.
 */
export { TestClock } from './test-clock.ts';
export type { TestDocument, TestGatewayOptions } from './test-gateway.ts';
export { type TestCall, type TestWorker, type TestWorkerOptions, testWorker } from './test-worker.ts';
