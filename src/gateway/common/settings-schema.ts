/** The one schema of the gateway's settings: defaults, bounds and descriptions. The docs are made from it. */
import Joi from 'joi';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import type { GatewaySettings, GatewaySettingsInput } from './settings.ts';

const MAX_TIME = 24 * 60 * 60 * 1000;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const PAGE_PATH = /^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/;

const time = (fallback: number, lowest = 1): Joi.NumberSchema =>
  Joi.number().integer().min(lowest).max(MAX_TIME).unit('ms').default(fallback);
const count = (fallback: number, lowest = 1): Joi.NumberSchema =>
  Joi.number().integer().min(lowest).default(fallback);
const page = (fallback: string): Joi.Schema =>
  Joi.alternatives(Joi.string().pattern(PAGE_PATH, 'a path'), Joi.valid(false)).default(fallback);
const headerName = (fallback: string): Joi.StringSchema =>
  Joi.string().pattern(HEADER_NAME, 'a header name').default(fallback);
const names = Joi.array().items(Joi.string());
const oneOrMore = Joi.alternatives(Joi.string(), Joi.array().items(Joi.string()).min(1));

const limits = Joi.object({
  inFlight: count(10_000).description('operation requests in flight at a time; more are answered 503'),
  pipelined: count(64).description(
    'requests of one connection in flight at a time, at most half of limits.inFlight; more wait for their turn',
  ),
  body: count(1024 * 1024)
    .unit('bytes')
    .description('largest request body, before and after decompression'),
  buffered: count(256 * 1024 * 1024)
    .unit('bytes')
    .description('all request bodies that are being read, together'),
  headers: count(16 * 1024, 1024)
    .unit('bytes')
    .description('request line and headers of one request'),
  depth: count(100).description('levels of nesting in a JSON body'),
}).default();

const clientTimeouts = Joi.object({
  headers: time(10_000).description('from the first byte of a request to the end of its headers'),
  body: time(20_000).description('for the body, once the headers are there'),
  keepAlive: time(65_000).description('idle time of a kept-alive connection'),
}).default();

const paths = Joi.object({
  openapi: page('/openapi').description('the document, with .json and .yaml behind it; false leaves it out'),
  docs: page('/docs').description('Swagger UI; false leaves it out'),
  livez: page('/livez').description('whether the process is alive; false leaves it out'),
  readyz: page('/readyz').description('whether it can serve, with reasons; false leaves it out'),
}).default();

const compression = Joi.object({
  threshold: count(2048, 0).unit('bytes').description('smallest reply that is compressed'),
});

const replies = Joi.object({
  check: Joi.valid('off', 'report', 'refuse')
    .default(() => (process.env['NODE_ENV'] === 'production' ? 'off' : 'report'))
    .description('hold replies of workers against the document: log a mismatch, or also answer 502'),
  sample: Joi.number().min(0).max(1).default(1).description('share of the replies that is checked'),
}).default();

const cors = Joi.object({
  origins: Joi.alternatives(
    Joi.valid('*'),
    Joi.array().items(Joi.string().pattern(ORIGIN, 'an origin').invalid('*')).min(1),
  )
    .required()
    .description('origins that may read replies, such as https://app.example; * for all'),
  credentials: Joi.boolean()
    .default(false)
    .when('origins', { is: '*', then: Joi.invalid(true) })
    .description('whether browsers may send cookies and authorization; not with *'),
  headers: names.description('request headers allowed; default: those that the preflight asks for'),
  exposed: names.default([]).description('reply headers that scripts may read, beside those of the gateway'),
  maxAge: time(600_000, 0).description('how long browsers may keep the answer to a preflight'),
});

const apiKey = Joi.object({
  id: Joi.string().required().description('name of the caller, which workers see'),
  sha256: Joi.string().hex().length(64).lowercase().description('SHA-256 of the key'),
  key: Joi.string().min(16).description('the key itself; it is hashed at once and not kept'),
  scopes: names.description('scopes of the caller'),
}).xor('sha256', 'key');

const apiKeyScheme = Joi.object({
  type: Joi.valid('apiKey').required(),
  keys: Joi.array().items(apiKey).description('keys that are accepted'),
  file: Joi.string().description('JSON file with a list of keys; a changed one is taken in within a second'),
}).or('keys', 'file');

const jwtScheme = Joi.object({
  type: Joi.valid('jwt').required(),
  jwksUrl: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .description("where the issuer's keys are"),
  jwksFile: Joi.string().description(
    "JSON file with the issuer's keys; a changed one is taken in within a second",
  ),
  issuer: oneOrMore.required().description('accepted issuers'),
  audience: oneOrMore.required().description('accepted audiences'),
  algorithms: names
    .min(1)
    .items(Joi.string().invalid('none'))
    .default([
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ])
    .description('accepted signature algorithms'),
  clockTolerance: time(5000, 0).description('how far clocks may differ'),
  scopeClaim: Joi.string().default('scope').description('claim that holds the scopes'),
  claims: names.default([]).description('claims that workers see'),
}).xor('jwksUrl', 'jwksFile');

const auth = Joi.object({
  realm: Joi.string()
    .pattern(/^[^"\\\r\n]*$/, 'a realm')
    .default('api')
    .description('realm of the challenge in 401 replies'),
  schemes: Joi.object()
    .pattern(
      Joi.string(),
      Joi.alternatives().conditional('.type', {
        switch: [
          { is: 'apiKey', then: apiKeyScheme },
          {
            is: 'jwt',
            then: jwtScheme,
            otherwise: Joi.object({ type: Joi.valid('apiKey', 'jwt').required() }),
          },
        ],
      }),
    )
    .default({})
    .description('how callers are known, by the names of the security schemes in the document'),
}).default();

const rateLimit = Joi.object({
  name: Joi.string()
    .pattern(/^[a-z0-9_-]+$/i, 'a name')
    .default('default')
    .description('name in the RateLimit headers'),
  limit: Joi.number().integer().min(1).required().description('requests allowed in a window'),
  window: time(60_000, 1000).description('length of the window'),
  per: Joi.array()
    .items(Joi.valid('client', 'caller', 'operation'))
    .unique()
    .default(['client'])
    .description('what is counted apart; an empty list counts all together'),
  events: names.description('events it applies to; tasks.* names a family; default: all'),
});

/** The schema. `describe()` gives the docs their table. */
export const settingsSchema: Joi.ObjectSchema<GatewaySettings> = Joi.object<GatewaySettings>({
  host: Joi.string().hostname().default('127.0.0.1').description('address to listen on'),
  port: Joi.number().port().default(8080).description('port to listen on; 0 picks a free one'),
  timeout: time(5000).description('time for an operation where the document does not say'),
  maxTimeout: time(60_000).description('most that an operation or a request may ask for'),
  timeoutHeader: headerName('Request-Timeout').description(
    'request header in which a caller says how long it waits, in ms',
  ),
  requestIdHeader: headerName('Request-Id').description(
    'header that carries the id of a request, in and out',
  ),
  retryAfter: time(1000).description('Retry-After of 503 replies'),
  problemType: Joi.string()
    .uri()
    .default('urn:zeromq-gateway:error:')
    .description('what the type of problem details starts with; the code follows'),
  publicUrl: Joi.string()
    .uri({ scheme: ['http', 'https'], allowRelative: true })
    .description('URL under which clients reach the API; default: the path it is mounted under'),
  fallthrough: Joi.boolean().default(false).description('pass unknown paths on to the next middleware'),
  trustProxy: Joi.alternatives(Joi.valid(false), Joi.number().integer().min(1), names.min(1))
    .default(false)
    .description('addresses or networks of proxies whose X-Forwarded headers count, or their number'),
  helmet: Joi.alternatives(Joi.boolean(), Joi.object())
    .default(true)
    .description('security headers; options of helmet'),
  serverTiming: Joi.valid('never', 'asked', 'always')
    .default('asked')
    .description(
      'Server-Timing with queue and handler time; asked: when the request says Prefer: server-timing',
    ),
  accessLog: Joi.boolean().default(false).description('log each request in one line'),
  limits,
  clientTimeouts,
  paths,
  compression: Joi.alternatives(Joi.valid(false), compression)
    .default({ threshold: 2048 })
    .description('compression of larger replies; false turns it off'),
  replies,
  cors: Joi.alternatives(Joi.valid(false), cors).default(false).description('cross-origin requests'),
  auth,
  rateLimits: Joi.array().items(rateLimit).unique('name').default([]).description('rate limits'),
  redis: Joi.string()
    .uri({ scheme: ['redis', 'rediss'] })
    .description('where several gateways count rate limits together'),
}).prefs({ abortEarly: false });

/**
 * Settings with their defaults.
 * @throws ZeroMQConfigError that names each wrong setting, its value and what is allowed.
 */
export function readSettings(input: GatewaySettingsInput): GatewaySettings {
  const result = settingsSchema.validate(input);
  if (result.error === undefined) return result.value;
  const faults = result.error.details.map(({ path, message, context }) => {
    const name = path.join('.');
    const given = isSecret(path) ? '' : ` (got ${show((context as { value?: unknown } | undefined)?.value)})`;
    return `${name === '' ? '' : `${name}: `}${message.replace(/^"[^"]*" /, '')}${given}`;
  });
  throw new ZeroMQConfigError(`gateway settings: ${faults.join('; ')}`);
}

function isSecret(path: readonly (string | number)[]): boolean {
  return path.includes('key') || path.includes('keys') || path.includes('redis');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? String(value) : text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
