import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingPackage, optionalPackage } from '../../../../src/core/identity/optional-package.ts';

describe('optional packages', () => {
  it('optional package: is loaded when it is installed, and undefined when it is not', () => {
    assert.equal(
      typeof (optionalPackage('@redis/client') as { createClient?: unknown }).createClient,
      'function',
    );
    assert.equal(optionalPackage('zeromq-gateway-no-such-package'), undefined);
  });

  it('optional package: the error names the feature, the package and the remedy', () => {
    assert.equal(
      missingPackage('@redis/client', 'redis').message,
      'redis: the optional package @redis/client is not installed; run npm install @redis/client',
    );
  });
});
