/** Licences and vulnerabilities of dependencies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditVerdict } from '../../scripts/lib/audit.ts';
import { EXCEPTIONS, isPermissive, licenceFaults, packagesOf } from '../../scripts/lib/licences.ts';
import { ROOT } from '../docs/pages.ts';

const packages = packagesOf(ROOT);

test('licences: every package has a permissive licence or a listed exception', () => {
  assert.ok(packages.length > 500, 'the lock file was not read');
  assert.deepEqual(licenceFaults(packages), []);
});

test('licences: every exception is still needed', () => {
  const names = new Set(packages.map(({ name }) => name));
  for (const name of Object.keys(EXCEPTIONS)) assert.ok(names.has(name), name);
});

test('licences: libzmq is the only exception in an installation', () => {
  const ours = packages.filter(({ development }) => !development);
  assert.deepEqual(
    ours.filter(({ licence }) => !isPermissive(licence)).map(({ name }) => name),
    ['zeromq'],
  );
});

test('licences: finds a licence that is not permissive or not stated', () => {
  const planted = (licence: string) => [{ name: 'planted', version: '1.0.0', licence, development: true }];
  for (const licence of ['GPL-3.0-only', 'AGPL-3.0', 'MIT AND GPL-2.0', 'UNLICENSED', 'none named']) {
    assert.match(licenceFaults(planted(licence))[0] ?? '', /^planted 1\.0\.0: /, licence);
  }
  for (const licence of ['MIT', '(MIT OR GPL-3.0)', 'Apache-2.0 AND MIT']) {
    assert.deepEqual(licenceFaults(planted(licence)), [], licence);
  }
});

test('audit: fails on high severity, and reports a registry that is unreachable', () => {
  const report = (severity: string) =>
    JSON.stringify({ vulnerabilities: { a: { name: 'a', severity, range: '<2', via: [{ title: 'bad' }] } } });
  assert.deepEqual(auditVerdict(report('high')), { verdict: 'vulnerable', lines: ['a <2: high: bad'] });
  assert.equal(auditVerdict(report('moderate')).verdict, 'clean');
  assert.equal(auditVerdict(JSON.stringify({ message: '405 Method Not Allowed' })).verdict, 'unknown');
  assert.equal(auditVerdict('').verdict, 'unknown');
});
