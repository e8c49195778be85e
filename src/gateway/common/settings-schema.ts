/** The Joi schema of the gateway's settings: defaults, bounds and descriptions for the docs. */
import Joi from 'joi';
import { checkUnit } from '../../core/messages/checks.ts';
import { ZeroMQConfigError } from '../../core/messages/errors.ts';
import { reasonAgainstHash, reasonAgainstUserName } from './bcrypt-hash.ts';
import type { BasicSchemeSettings, BasicUserSettings, GatewaySettings } from './settings.ts';
import type { GatewaySettingsInput } from './settings-input.ts';
import { stored, storeUrl } from './stored-schema.ts';

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
  inFlight: count(10_000).description(
    'maximum operation requests in flight; further ones are rejected with 503',
  ),
  pipelined: count(64).description(
    'maximum requests in flight per HTTP connection, at most half of limits.inFlight; more wait',
  ),
  body: count(1024 * 1024)
    .unit('bytes')
    .description('maximum size of a request body, before and after decompression'),
  buffered: count(256 * 1024 * 1024)
    .unit('bytes')
    .description('maximum total size of all request bodies that are being read'),
  headers: count(16 * 1024, 1024)
    .unit('bytes')
    .description('maximum size of the request line and headers of a request'),
  depth: count(100).description('maximum nesting depth of a JSON body'),
  streams: count(10_000).description(
    'maximum requests in flight of operations with streams; further ones are rejected with 503',
  ),
  streamsPerCaller: count(100).description(
    'maximum of these for each caller, or for each client address without authentication',
  ),
  upload: count(1024 * 1024 * 1024, 0)
    .unit('bytes')
    .description('maximum size of a request body that is sent as a stream; 0 for no limit'),
}).default();

const clientTimeouts = Joi.object({
  headers: time(10_000).description(
    'time allowed from the first byte of a request to the end of its headers',
  ),
  body: time(20_000).description('time allowed for the body after the headers'),
  keepAlive: time(65_000).description('how long an idle connection is kept open'),
}).default();

const paths = Joi.object({
  openapi: page('/openapi').description(
    'path of the OpenAPI document, without .json or .yaml; false disables it',
  ),
  docs: page('/docs').description('path of the page that shows the document; false disables it'),
  requests: page('/requests').description(
    'path of asynchronous requests, which need a store; false disables them',
  ),
  livez: page('/livez').description('path of the liveness check; false disables it'),
  readyz: page('/readyz').description('path of the readiness check, which lists reasons; false disables it'),
}).default();

const compression = Joi.object({
  threshold: count(2048, 0).unit('bytes').description('minimum size of a reply to compress'),
});

const replies = Joi.object({
  check: Joi.valid('off', 'report', 'reject')
    .default(() => (process.env['NODE_ENV'] === 'production' ? 'off' : 'report'))
    .description(
      'validation of replies against the document: report logs a mismatch, reject also responds with 502',
    ),
  sample: Joi.number().min(0).max(1).default(1).description('fraction of the replies to validate'),
}).default();

const cors = Joi.object({
  origins: Joi.alternatives(
    Joi.valid('*'),
    Joi.array().items(Joi.string().pattern(ORIGIN, 'an origin').invalid('*')).min(1),
  )
    .required()
    .description('origins that may read replies, such as https://app.example, or * for all'),
  credentials: Joi.boolean()
    .default(false)
    .when('origins', { is: '*', then: Joi.invalid(true) })
    .description('allow cookies and authorization headers from browsers; cannot be combined with *'),
  headers: names.description('allowed request headers; default: the headers that the preflight requests'),
  exposed: names
    .default([])
    .description('reply headers that scripts may read, in addition to those of the gateway'),
  maxAge: time(600_000, 0).description('how long browsers may cache the response to a preflight'),
});

const apiKey = Joi.object({
  id: Joi.string().required().description('id of the caller, passed to workers'),
  sha256: Joi.string().hex().length(64).lowercase().description('SHA-256 of the key'),
  key: Joi.string().min(16).description('the key in plain text; the gateway keeps only its hash'),
  scopes: names.description('scopes of the caller'),
}).xor('sha256', 'key');

const apiKeyScheme = Joi.object({
  type: Joi.valid('apiKey').required(),
  keys: Joi.array().items(apiKey).description('accepted keys'),
  file: Joi.string().description('JSON file with a list of keys; changes apply within a second'),
}).or('keys', 'file');

const jwtScheme = Joi.object({
  type: Joi.valid('jwt').required(),
  jwksUrl: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .description("URL of the issuer's key set (JWKS)"),
  jwksFile: Joi.string().description("JSON file with the issuer's key set; changes apply within a second"),
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
  clockTolerance: time(5000, 0).description('tolerated clock difference'),
  scopeClaim: Joi.string().default('scope').description('claim that holds the scopes'),
  claims: names.default([]).description('claims to pass to workers'),
}).xor('jwksUrl', 'jwksFile');

/** A text to which a function has no objection. */
const validText = (reasonAgainst: (text: string) => string | undefined): Joi.StringSchema =>
  Joi.string().custom((value: string, { message }) => {
    const reason = reasonAgainst(value);
    return reason === undefined ? value : message({ custom: reason });
  });

const basicUser = Joi.object({
  id: validText(reasonAgainstUserName).required().description('user name, which workers see as the caller'),
  hash: validText(reasonAgainstHash).description(
    'bcrypt hash of the password; omit it if the file contains it',
  ),
  scopes: names.description('scopes of the caller'),
});

const basicScheme = Joi.object({
  type: Joi.valid('basic').required(),
  users: Joi.array()
    .items(basicUser)
    .unique('id')
    .custom((users: readonly BasicUserSettings[], { message, state }) => {
      const [{ file }] = state.ancestors as [Partial<BasicSchemeSettings>];
      const withoutHash = file === undefined ? users.find(({ hash }) => hash === undefined) : undefined;
      return withoutHash === undefined
        ? users
        : message({ custom: `must have a hash for ${withoutHash.id}, or a file that contains one` });
    })
    .description('users who may call, and scopes of users in the file'),
  file: Joi.string().description(
    'file with lines USER:HASH, hashed by bcrypt (zeromq-gateway passwd); changes apply within a second',
  ),
}).or('users', 'file');

const trustScheme = Joi.object({
  type: Joi.valid('trust').required(),
  header: Joi.string()
    .pattern(HEADER_NAME, 'a header name')
    .description('request header in which the proxy names the caller; default: workers see no caller'),
  proxies: names
    .min(1)
    .description(
      'addresses or networks of the proxies; default: those of trustProxy if it lists any, else every address',
    ),
});

const auth = Joi.object({
  realm: Joi.string()
    .pattern(/^[^"\\\r\n]*$/, 'a realm')
    .default('api')
    .description('realm in the WWW-Authenticate header of 401 replies'),
  schemes: Joi.object()
    .pattern(
      Joi.string(),
      Joi.alternatives().conditional('.type', {
        switch: [
          { is: 'apiKey', then: apiKeyScheme },
          { is: 'basic', then: basicScheme },
          { is: 'jwt', then: jwtScheme },
          {
            is: 'trust',
            then: trustScheme,
            otherwise: Joi.object({ type: Joi.valid('apiKey', 'basic', 'jwt', 'trust').required() }),
          },
        ],
      }),
    )
    .default({})
    .description('how to authenticate callers, by the names of the security schemes in the document'),
}).default();

const rateLimit = Joi.object({
  name: Joi.string()
    .pattern(/^[a-z0-9_-]+$/i, 'a name')
    .default('default')
    .description('name of the limit in the RateLimit headers'),
  limit: Joi.number().integer().min(1).required().description('requests allowed in a window'),
  window: time(60_000, 1000).description('length of the window'),
  per: Joi.array()
    .items(Joi.valid('client', 'caller', 'operation'))
    .unique()
    .default(['client'])
    .description('what is counted separately; an empty list counts all requests together'),
  events: names.description('events that the limit applies to, such as tasks.* for a family; default: all'),
});

const tls = Joi.object({
  cert: Joi.string()
    .required()
    .description('PEM file with the certificate and those of its issuers; changes apply within 3 s'),
  key: Joi.string().required().description('PEM file with the private key, without a passphrase'),
}).description('TLS of the listener; default: plain HTTP');

/** The Joi schema of {@link GatewaySettings}. The tables of the docs are generated from it. */
export const settingsSchema: Joi.ObjectSchema<GatewaySettings> = Joi.object<GatewaySettings>({
  host: Joi.string().hostname().default('127.0.0.1').description('address to listen on'),
  port: Joi.number().port().default(8080).description('port to listen on; 0 picks a free one'),
  tls,
  timeout: time(5000).description('timeout of operations whose document sets none'),
  maxTimeout: time(60_000).description('maximum timeout that an operation or a request may set'),
  allowShortDurations: Joi.boolean()
    .default(false)
    .description('accept a timeout and a maxTimeout below 50 ms, which are usually numbers of seconds'),
  streamIdleTimeout: time(30_000).description(
    'maximum silence of a worker in a stream; does not apply to server-sent events',
  ),
  streamTimeout: Joi.number()
    .integer()
    .min(1)
    .max(MAX_TIME)
    .unit('ms')
    .description('maximum duration of a stream; default: no limit'),
  keepAliveComment: time(15_000).description('silence after which server-sent events get a comment'),
  timeoutHeader: headerName('Request-Timeout').description(
    'request header with the timeout of the caller, in ms',
  ),
  requestIdHeader: headerName('Request-Id').description(
    'header with the request id, in requests and replies',
  ),
  retryAfter: time(1000).description('value of the Retry-After header of 503 replies'),
  problemType: Joi.string()
    .uri()
    .default('urn:zeromq-gateway:error:')
    .description('prefix of the type in problem details, followed by the code'),
  publicUrl: Joi.string()
    .uri({ scheme: ['http', 'https'], allowRelative: true })
    .description('URL at which clients reach the API; default: the path where the app is mounted'),
  fallthrough: Joi.boolean()
    .default(false)
    .description('pass requests with unknown paths to the next middleware'),
  trustProxy: Joi.alternatives(Joi.valid(false), Joi.number().integer().min(1), names.min(1))
    .default(false)
    .description(
      'trusted proxies, as addresses or networks or as their number; the gateway reads their X-Forwarded headers',
    ),
  helmet: Joi.alternatives(Joi.boolean(), Joi.object())
    .default(true)
    .description('security headers, with the options of helmet'),
  serverTiming: Joi.valid('never', 'on-request', 'always')
    .default('on-request')
    .description(
      'when to send Server-Timing with queue and handler time; on-request: if the request has Prefer: server-timing',
    ),
  accessLog: Joi.boolean().default(false).description('log every request in one line'),
  limits,
  clientTimeouts,
  paths,
  docs: Joi.valid('swagger', 'scalar')
    .default('swagger')
    .description('page at paths.docs: Swagger UI, or Scalar from the optional package @scalar/api-reference'),
  compression: Joi.alternatives(Joi.valid(false), compression)
    .default({ threshold: 2048 })
    .description('compression of replies; false disables it'),
  replies,
  cors: Joi.alternatives(Joi.valid(false), cors).default(false).description('cross-origin requests'),
  auth,
  rateLimits: Joi.array().items(rateLimit).unique('name').default([]).description('rate limits'),
  redis: Joi.string()
    .uri({ scheme: ['redis', 'rediss'] })
    .description('Redis server for rate limits shared by several gateways'),
  store: storeUrl,
  stored,
}).prefs({ abortEarly: false });

/**
 * Validates settings and adds defaults.
 *
 * @param input the settings.
 * @returns the complete settings.
 * @throws {ZeroMQConfigError} when a setting is not valid. The message lists each invalid setting
 *   with its value and what is allowed.
 * @throws {ZeroMQConfigError} when a request timeout is below 50 ms, unless `allowShortDurations`
 *   is set.
 */
export function readSettings(input: GatewaySettingsInput): GatewaySettings {
  const result = settingsSchema.validate(input);
  if (result.error === undefined) return withCheckedUnits(result.value);
  const problems = result.error.details.map(({ path, message, context }) => {
    const name = path.join('.');
    const given = isSecret(path) ? '' : ` (got ${show((context as { value?: unknown } | undefined)?.value)})`;
    return `${name === '' ? '' : `${name}: `}${message.replace(/^"[^"]*" /, '')}${given}`;
  });
  throw new ZeroMQConfigError(`gateway settings: ${problems.join('; ')}`);
}

function withCheckedUnits(settings: GatewaySettings): GatewaySettings {
  for (const name of ['timeout', 'maxTimeout'] as const) {
    checkUnit(name, settings[name], settings.allowShortDurations);
  }
  return settings;
}

function isSecret(path: readonly (string | number)[]): boolean {
  if (path[0] === 'tls') return false;
  return ['key', 'keys', 'users', 'redis', 'store'].some((name) => path.includes(name));
}

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? String(value) : text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
