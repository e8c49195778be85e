/** The gateway of a worker under test, which serves its contract without a port. */
import {
  ApiRegistry,
  createGateway,
  type Gateway,
  type GatewayOptions,
  putDocument,
} from '../gateway/index.ts';
import type { Contract, Requester } from '../index.ts';

/** A document that the gateway serves besides the contract: a file, or the document itself. */
export type TestDocument = string | object;

/** Settings and hooks of the gateway of a worker under test: those of {@link createGateway}. */
export type TestGatewayOptions = Omit<GatewayOptions, 'requester' | 'api' | 'contracts' | 'name'>;

/**
 * Creates the gateway. It does not listen.
 *
 * @throws {ContractError} when a document or contract cannot be served.
 * @throws {ZeroMQConfigError} when a setting is not valid.
 */
export function newTestGateway(
  requester: Requester,
  contract: Contract | undefined,
  documents: readonly TestDocument[],
  options: TestGatewayOptions,
): Gateway {
  const api = new ApiRegistry();
  if (contract !== undefined) api.put(contract.name, contract.fragment(), { kind: 'worker' });
  for (const [index, document] of documents.entries()) {
    if (typeof document === 'string') putDocument(api, document);
    else api.put(`document ${index + 1}`, document);
  }
  return createGateway({ ...options, requester, api });
}
