/** `zeromq-gateway mock`: serves documents from their examples and schemas, without workers. */
import { ContractError } from '../../contract/errors.ts';
import type { Logger } from '../../core/logging/logging.ts';
import { type ApiSource, createGateway, fixedApi, type GatewayHooks } from '../../gateway/index.ts';
import { ApiRegistry, type ApiSnapshot, putDocument } from '../../openapi/index.ts';
import { readPreferences } from '../mock/preferences.ts';
import { MockResponses } from '../mock/responses.ts';
import { MockRequester, postStream } from '../mock/stream-replies.ts';
import { documentSettings } from '../nodes/documents.ts';
import { explainBindErrors } from '../nodes/endpoints.ts';
import { openLog } from '../nodes/logging.ts';
import { type Resources, serve } from '../nodes/serve.ts';
import { traceRequests } from '../nodes/traffic-log.ts';
import { type CommandContext, defineCommand, NODE_SETTINGS } from '../settings/command.ts';
import { UsageError } from '../settings/errors.ts';
import { required, setting, type ValuesOf } from '../settings/settings.ts';
import { document, list, wholeNumber } from '../settings/value-types.ts';
import { gatewaySettings, HTTP_SETTINGS } from './gateway.ts';

const { unnamed, maxDocument } = documentSettings('none');
const { hooks: _, store: __, ...http } = HTTP_SETTINGS;

const settings = {
  file: required(list(document), {
    description: 'OpenAPI document to serve, YAML or JSON; /PREFIX= is put before its paths',
    positional: true,
  }),
  ...http,
  seed: setting(wholeNumber(0, 2 ** 31 - 1), {
    description: 'Seed of the values that are made from schemas; the same seed returns the same responses',
    default: 1,
  }),
  interval: setting(wholeNumber(0, 60_000, 'MS'), {
    description: 'Time between two items of a stream',
    default: 100,
  }),
  unnamed,
  maxDocument,
  ...NODE_SETTINGS,
};

type Values = ValuesOf<typeof settings>;

function load(values: Values, logger: Logger): ApiSnapshot {
  const registry = new ApiRegistry();
  const errors: string[] = [];
  const onWarning = ({ message: reason, location }: ContractError): void =>
    logger.warn({ document: location.source, reason }, 'a document causes a warning');
  for (const { file, prefix } of values.file) {
    try {
      const options = { prefix, unnamed: values.unnamed, maxBytes: values.maxDocument, onWarning };
      putDocument(registry, file, options);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      errors.push(...error.problems.map(({ message }) => `file: ${message}`));
    }
  }
  if (errors.length > 0) throw new UsageError(errors);
  return registry.snapshot();
}

/**
 * A mock checks no credentials and stores nothing: the document keeps its security and its
 * idempotency keys, the operations do not have any.
 */
function withoutChecks(snapshot: ApiSnapshot): ApiSource {
  return fixedApi({
    ...snapshot,
    operations: snapshot.operations.map((operation) => ({
      ...operation,
      security: [],
      idempotency: undefined,
    })),
  });
}

function hooksOf(snapshot: ApiSnapshot, seed: number): GatewayHooks {
  const responses = new MockResponses(snapshot, seed);
  return {
    onEvent(event, { operation, headers }) {
      if (operation === undefined) return undefined;
      const preferences = readPreferences(headers.prefer);
      const response = responses.response(operation, preferences, headers.accept);
      const { status, headers: sent, data, stream } = response;
      if (stream !== undefined) {
        postStream(event, response, stream);
        return undefined;
      }
      // An empty text: without data, a response with the status 200 would have the body null.
      if (data === undefined && status === 200)
        return { status, headers: { 'content-type': 'text/plain', ...sent }, data: '' };
      return { status, headers: sent, data };
    },
  };
}

async function open(values: Values, resources: Resources, logger: Logger): Promise<string> {
  const snapshot = load(values, logger);
  const gateway = createGateway({
    ...gatewaySettings({ ...values, hooks: undefined, store: undefined }),
    requester: new MockRequester(values.interval),
    api: withoutChecks(snapshot),
    hooks: hooksOf(snapshot, values.seed),
    logger,
  });
  resources.add(() => gateway.close({ deadline: resources.drainLeft }));
  const listeners = [{ setting: 'port', endpoint: `${values.host}:${values.port}` }];
  const { url } = await explainBindErrors(listeners, () => gateway.listen());
  return `${url}, docs ${url}/docs, operations ${snapshot.operations.length}`;
}

function mock(values: Values, context: CommandContext): Promise<number> {
  return serve('mock', values.drain, context, (resources) => {
    const log = openLog(values, resources, context);
    const traced = traceRequests({ ...values, hooks: undefined }, { log, context, resources });
    return open({ ...values, ...traced.values }, resources, traced.logger);
  });
}

export const mockCommand = defineCommand({
  name: 'mock',
  description:
    'Serve OpenAPI documents without workers: requests are validated, and responses come from the examples of the ' +
    'document, or are made from its schemas. Prefer: code=404, example=NAME, dynamic=true selects a response.',
  settings,
  examples: ['mock openapi/tasks.yaml', 'mock openapi/tasks.yaml --port 4010 --seed 7', 'mock /v1=api.yaml'],
  run: mock,
});
