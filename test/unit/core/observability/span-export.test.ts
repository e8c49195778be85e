/** The optional packages of the OpenTelemetry SDK. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SDK_PACKAGES, sdk, signalUrl } from '../../../../src/core/observability/span-export.ts';
import { ZeroMQConfigError } from '../../../../src/index.ts';

describe('span export', () => {
  it('otlp: a missing package is an error with the command that installs all of them', async () => {
    const missing = 'a-package-that-does-not-exist';
    await assert.rejects(
      sdk(() => import(missing)),
      (error: unknown) => {
        assert.ok(error instanceof ZeroMQConfigError);
        for (const name of SDK_PACKAGES) assert.ok(error.message.includes(` ${name}`), error.message);
        return /run npm install @opentelemetry/.test(error.message);
      },
    );
  });

  it('otlp: another error of a package is not replaced', async () => {
    const broken = new Error('broken');
    await assert.rejects(
      sdk(() => Promise.reject(broken)),
      broken,
    );
  });

  it('otlp: the path of each kind of data follows the URL of the collector', () => {
    assert.equal(signalUrl('http://collector:4318', 'traces'), 'http://collector:4318/v1/traces');
    assert.equal(signalUrl('http://collector/otlp/', 'metrics'), 'http://collector/otlp/v1/metrics');
  });
});
