import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZeroMQConfigError } from '../../../../src/core/messages/errors.ts';
import type { GatewaySettingsInput } from '../../../../src/gateway/index.ts';
import { readSettings, settingsSchema } from '../../../../src/gateway/index.ts';

describe('settings', () => {
  it('settings: have defaults', () => {
    const settings = readSettings({});
    assert.equal(settings.host, '127.0.0.1');
    assert.equal(settings.timeout, 5000);
    assert.deepEqual(settings.limits, {
      inFlight: 10_000,
      pipelined: 64,
      body: 1024 * 1024,
      buffered: 256 * 1024 * 1024,
      headers: 16 * 1024,
      depth: 100,
      streams: 10_000,
      streamsPerCaller: 100,
      upload: 1024 * 1024 * 1024,
    });
    assert.deepEqual(settings.paths, {
      openapi: '/openapi',
      docs: '/docs',
      livez: '/livez',
      readyz: '/readyz',
      requests: '/requests',
    });
    assert.equal(settings.trustProxy, false);
    assert.equal(settings.cors, false);
    assert.deepEqual(settings.rateLimits, []);
  });

  const wrong: [input: unknown, message: RegExp][] = [
    [{ port: 70_000 }, /port: must be a valid port \(got 70000\)/],
    [{ host: 'a b' }, /host: must be a valid hostname \(got "a b"\)/],
    [{ limits: { body: -1 } }, /limits\.body: must be greater than or equal to 1 \(got -1\)/],
    [{ limits: { boddy: 1 } }, /limits\.boddy: is not allowed/],
    [{ trustProxy: true }, /trustProxy: must be one of \[false, number, array\]/],
    [
      { serverTiming: 'sometimes' },
      /serverTiming: must be one of \[never, on-request, always\] \(got "sometimes"\)/,
    ],
    [{ cors: { origins: '*', credentials: true } }, /cors/],
    [{ cors: { origins: ['app.example'] } }, /cors/],
    [{ paths: { docs: 'docs' } }, /paths\.docs: .*\(got "docs"\)/],
    [{ paths: { docs: '/docs/' } }, /paths\.docs/],
    [{ rateLimits: [{ limit: 0 }] }, /rateLimits\.0\.limit: must be greater than or equal to 1 \(got 0\)/],
    [{ rateLimits: [{ limit: 1 }, { limit: 2 }] }, /rateLimits\.1: contains a duplicate value/],
    [{ redis: 'http://x' }, /redis: must be a valid uri/],
    [
      { auth: { schemes: { a: { type: 'digest' } } } },
      /auth\.schemes\.a\.type: must be one of \[apiKey, basic, jwt, trust\] \(got "digest"\)/,
    ],
    [
      { auth: { schemes: { a: { type: 'basic' } } } },
      /auth\.schemes\.a: must contain at least one of \[users, file\]/,
    ],
    [
      { auth: { schemes: { a: { type: 'basic', users: [{ id: 'eva' }] } } } },
      /auth\.schemes\.a\.users: must have a hash for eva, or a file that contains one$/,
    ],
    [
      { auth: { schemes: { a: { type: 'basic', users: [{ id: 'e:a', hash: '$apr1$x' }] } } } },
      /auth\.schemes\.a\.users\.0\.id: must not contain a colon; auth\.schemes\.a\.users\.0\.hash: must be a bcrypt hash, but is an MD5 hash$/,
    ],
    [
      { auth: { schemes: { a: { type: 'trust', header: 'X Y', proxies: [] } } } },
      /auth\.schemes\.a\.header: .*; auth\.schemes\.a\.proxies: must contain at least 1 items/,
    ],
    [
      { auth: { schemes: { a: { type: 'jwt', issuer: 'i', audience: 'a' } } } },
      /auth\.schemes\.a: must contain at least one of \[jwksUrl, jwksFile\]/,
    ],
    [
      { auth: { schemes: { a: { type: 'apiKey', keys: [{ id: 'x', key: 'short' }] } } } },
      /auth\.schemes\.a\.keys\.0\.key: length must be at least 16/,
    ],
    [{ requestIdHeader: 'bad name' }, /requestIdHeader/],
    [{ port: -1, timeout: 0 }, /port: .*; timeout: /],
    [{ timeout: 5 }, /^timeout is 5 ms: .*did you mean 5 seconds\? write 5_000, or set allowShortDurations/],
    [{ maxTimeout: 30 }, /^maxTimeout is 30 ms: .*write 30_000/],
  ];
  for (const [input, message] of wrong) {
    it(`settings: reject ${JSON.stringify(input)}`, () => {
      assert.throws(
        () => readSettings(input as GatewaySettingsInput),
        (error: Error) => {
          assert.ok(error instanceof ZeroMQConfigError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('settings: accept request timeouts below 50 ms with allowShortDurations', () => {
    const { timeout, maxTimeout } = readSettings({ timeout: 5, maxTimeout: 30, allowShortDurations: true });
    assert.deepEqual([timeout, maxTimeout], [5, 30]);
  });

  it('settings: omit keys from error messages', () => {
    const input = { auth: { schemes: { a: { type: 'apiKey', keys: [{ id: 'x', key: 'secret' }] } } } };
    assert.throws(
      () => readSettings(input as GatewaySettingsInput),
      (error: Error) => !error.message.includes('secret'),
    );
  });

  it('settings: check replies in development, but not in production', (t) => {
    const before = process.env['NODE_ENV'];
    t.after(() => {
      if (before === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = before;
    });
    process.env['NODE_ENV'] = 'production';
    assert.equal(readSettings({}).replies.check, 'off');
    process.env['NODE_ENV'] = 'development';
    assert.equal(readSettings({}).replies.check, 'report');
  });

  it('settings: all have a description for the docs', () => {
    const described = settingsSchema.describe() as { keys: Record<string, Described> };
    const missing: string[] = [];
    const look = (schema: Described, path: string): void => {
      for (const [name, member] of Object.entries(schema.keys ?? {})) {
        const inner = member.keys === undefined;
        if (inner && member.flags?.description === undefined) missing.push(`${path}${name}`);
        look(member, `${path}${name}.`);
      }
    };
    look(described, '');
    assert.deepEqual(missing, []);
  });
});

interface Described {
  readonly keys?: Record<string, Described>;
  readonly flags?: { readonly description?: string };
}
