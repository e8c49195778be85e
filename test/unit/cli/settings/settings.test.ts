import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { UsageError } from '../../../../src/cli/settings/errors.ts';
import { json } from '../../../../src/cli/settings/json-types.ts';
import {
  flagOf,
  optional,
  required,
  resolveSettings,
  type Sources,
  setting,
  variableOf,
} from '../../../../src/cli/settings/settings.ts';
import * as kinds from '../../../../src/cli/settings/value-types.ts';
import { ExactNumber } from '../../../../src/core/json/exact-json.ts';
import { tempFolder } from '../../../helpers/temp.ts';

const withoutFiles = {
  port: setting(kinds.port, { description: 'Port', default: 8080 }),
  router: optional(kinds.list(kinds.connectEndpoint), { description: 'Routers' }),
  classicRouter: setting(kinds.booleanFlag, { description: 'Classic', default: false }),
  strategy: setting(kinds.choice('NAME', 'least-loaded', 'round-robin'), {
    description: 'Strategy',
    default: 'least-loaded',
  }),
  data: optional(json, { description: 'Data' }),
  classicEvents: optional(kinds.eventsByNode, { description: 'Events' }),
};

const settings = {
  files: required(kinds.list(kinds.file), { description: 'Files', positional: true }),
  ...withoutFiles,
};

function sources(given: Partial<Sources> = {}): Sources {
  return { flags: {}, env: {}, file: undefined, cwd: '/somewhere', ...given };
}

function file(sections: unknown, folder = '/etc/zg'): Sources['file'] {
  return { file: 'zeromq-gateway.yaml', folder, sections };
}

function faults(fn: () => unknown): readonly string[] {
  try {
    fn();
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.lines;
  }
  return assert.fail('no fault was found');
}

describe('names of settings', () => {
  it('become flags and environment variables', () => {
    assert.equal(flagOf('classicRouter'), '--classic-router');
    assert.equal(variableOf('classicRouter'), 'ZMQ_GATEWAY_CLASSIC_ROUTER');
    assert.equal(flagOf('port'), '--port');
  });
});

describe('sources of settings', () => {
  const resolve = (given: Partial<Sources>) => resolveSettings('up', withoutFiles, sources(given));

  it('uses defaults if no source has a value', () => {
    assert.deepEqual(resolve({}), {
      port: 8080,
      router: undefined,
      classicRouter: false,
      strategy: 'least-loaded',
      data: undefined,
      classicEvents: undefined,
    });
  });

  it('prefers flags, then environment, then file, then defaults', () => {
    const all = { flags: { port: '1' }, env: { ZMQ_GATEWAY_PORT: '2' }, file: file({ up: { port: 3 } }) };
    assert.equal(resolve(all).port, 1);
    assert.equal(resolve({ ...all, flags: {} }).port, 2);
    assert.equal(resolve({ ...all, flags: {}, env: {} }).port, 3);
    assert.equal(resolve({ ...all, flags: {}, env: {}, file: file({ gateway: { port: 4 } }) }).port, 8080);
  });

  it('ignores an empty variable, and accepts false and 0 as values', () => {
    assert.equal(resolve({ env: { ZMQ_GATEWAY_PORT: '' }, file: file({ up: { port: 3 } }) }).port, 3);
    assert.equal(resolve({ flags: { port: '0' }, env: { ZMQ_GATEWAY_PORT: '2' } }).port, 0);
    assert.equal(resolve({ file: file({ up: { classicRouter: true } }) }).classicRouter, true);
    const off = { env: { ZMQ_GATEWAY_CLASSIC_ROUTER: 'false' }, file: file({ up: { classicRouter: true } }) };
    assert.equal(resolve(off).classicRouter, false);
  });

  it('reads lists from repeated flags, commas in the environment, and lists or single values in the file', () => {
    const [a, b] = ['tcp://10.0.0.1:5555', 'ipc:///run/r.sock'];
    assert.deepEqual(resolve({ flags: { router: [a, b] } }).router, [a, b]);
    assert.deepEqual(resolve({ env: { ZMQ_GATEWAY_ROUTER: `${a},${b}` } }).router, [a, b]);
    assert.deepEqual(resolve({ file: file({ up: { router: [a, b] } }) }).router, [a, b]);
    assert.deepEqual(resolve({ file: file({ up: { router: a } }) }).router, [a]);
  });

  it('reads events by node as pairs, or in the file as lists by node id', () => {
    const events = { a1: ['x', 'y=z'], 'my-laptop': ['x'] };
    const pairs = ['a1=x', 'a1=y=z', 'my-laptop=x'];
    assert.deepEqual(resolve({ flags: { classicEvents: pairs } }).classicEvents, events);
    assert.deepEqual(resolve({ env: { ZMQ_GATEWAY_CLASSIC_EVENTS: pairs.join() } }).classicEvents, events);
    assert.deepEqual(resolve({ file: file({ up: { classicEvents: pairs } }) }).classicEvents, events);
    assert.deepEqual(resolve({ file: file({ up: { classicEvents: events } }) }).classicEvents, events);
    assert.deepEqual(resolve({ file: file({ up: { classicEvents: '*=x' } }) }).classicEvents, { '*': ['x'] });
    for (const wrong of [['x'], ['=x'], ['a1='], ['a1=$x'], { a1: [] }, { a1: 'x' }, { a1: ['$x'] }]) {
      const [fault] = faults(() => resolve({ file: file({ up: { classicEvents: wrong } }) }));
      assert.match(String(fault), /^classicEvents: .* is invalid; allowed: one or more, each NODE_ID=EVENT/);
    }
  });

  it('parses JSON text, and accepts JSON values from a file', () => {
    assert.deepEqual(resolve({ flags: { data: '{"id":1}' } }).data, { id: 1 });
    assert.equal(resolve({ flags: { data: '"text"' } }).data, 'text');
    assert.equal(resolve({ flags: { data: 'null' } }).data, null);
    assert.deepEqual(resolve({ file: file({ up: { data: { id: [1] } } }) }).data, { id: [1] });
  });

  it('accepts a document with a prefix', (t) => {
    const folder = tempFolder(t);
    mkdirSync(path.join(folder, 'v1=a'));
    for (const name of ['a.yaml', 'b=c.yaml', 'v1=a/d.yaml']) writeFileSync(path.join(folder, name), '');
    const given = (text: string): unknown => {
      const settings = { openapi: optional(kinds.list(kinds.document), { description: 'Documents' }) };
      const sources = { flags: { openapi: [text] }, env: {}, file: undefined, cwd: folder };
      return resolveSettings('up', settings, sources).openapi?.[0];
    };
    const at = (name: string, prefix = ''): unknown => ({ file: path.join(folder, name), prefix });
    assert.deepEqual(given('a.yaml'), at('a.yaml'));
    assert.deepEqual(given('/v1=a.yaml'), at('a.yaml', '/v1'));
    assert.deepEqual(given(`/v1/x=${path.join(folder, 'a.yaml')}`), at('a.yaml', '/v1/x'));
    assert.deepEqual(given('/v1=b=c.yaml'), at('b=c.yaml', '/v1'));
    assert.deepEqual(given('b=c.yaml'), at('b=c.yaml'));
    assert.deepEqual(given(path.join(folder, 'v1=a/d.yaml')), at('v1=a/d.yaml'));
    for (const wrong of ['/v1=none.yaml', '/v1=', 'v1=a.yaml', '/v1=/v2=a.yaml']) {
      assert.throws(
        () => given(wrong),
        /openapi: .* is invalid; allowed: .*a file that exists, optionally after \/PREFIX=/,
      );
    }
  });

  it('resolves paths against the folder of their source', (t) => {
    const folder = tempFolder(t);
    for (const name of ['cwd', 'etc']) {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, 'w.ts'), '');
    }
    const [cwd, etc] = [path.join(folder, 'cwd'), path.join(folder, 'etc')];
    const at = (given: Partial<Sources>) =>
      resolveSettings('worker', settings, sources({ cwd, ...given })).files;
    assert.deepEqual(at({ flags: { files: ['w.ts'] } }), [path.join(cwd, 'w.ts')]);
    assert.deepEqual(at({ env: { ZMQ_GATEWAY_FILES: './w.ts' } }), [path.join(cwd, 'w.ts')]);
    assert.deepEqual(at({ file: file({ worker: { files: ['w.ts'] } }, etc) }), [path.join(etc, 'w.ts')]);
  });
});

describe('invalid settings', () => {
  const wrong = (given: Partial<Sources>) =>
    faults(() => resolveSettings('up', withoutFiles, sources(given)));

  it('are reported with setting, value, source and allowed values', () => {
    assert.deepEqual(wrong({ flags: { port: 'http' } }), [
      'port: "http" (from --port) is invalid; allowed: a whole number from 0 to 65535',
    ]);
    assert.deepEqual(wrong({ env: { ZMQ_GATEWAY_PORT: '65536' } }), [
      'port: "65536" (from ZMQ_GATEWAY_PORT) is invalid; allowed: a whole number from 0 to 65535',
    ]);
    assert.deepEqual(wrong({ file: file({ up: { port: -1 } }) }), [
      'port: -1 (from up.port in zeromq-gateway.yaml) is invalid; allowed: a whole number from 0 to 65535',
    ]);
    assert.deepEqual(wrong({ file: file({ up: { port: new ExactNumber('9007199254740993') } }) }), [
      'port: 9007199254740993 (from up.port in zeromq-gateway.yaml) is invalid; allowed: a whole number from 0 to 65535',
    ]);
    assert.deepEqual(wrong({ flags: { strategy: 'random' } }), [
      'strategy: "random" (from --strategy) is invalid; allowed: least-loaded, round-robin',
    ]);
  });

  it('are all reported; of a list, the invalid item', () => {
    const given = { port: '1.5', router: ['tcp://127.0.0.1:5555', 'tcp://nowhere'], data: '{' };
    assert.deepEqual(wrong({ flags: given }), [
      'port: "1.5" (from --port) is invalid; allowed: a whole number from 0 to 65535',
      'router: "tcp://nowhere" (from --router) is invalid; allowed: one or more, each tcp://HOST:PORT, ipc://PATH, dns://NAME:PORT or dns://_SERVICE._tcp.NAME',
      `data: "{" (from --data) is invalid; allowed: JSON, such as '{"id":1}'`,
    ]);
  });

  it('that are missing are reported with the ways to set them', () => {
    assert.deepEqual(
      faults(() => resolveSettings('worker', settings, sources())),
      [
        'files is missing: set FILES, ZMQ_GATEWAY_FILES, or worker.files in the configuration file; ' +
          'allowed: one or more, each a file that exists',
      ],
    );
  });

  it('of arguments are reported with the name of the argument', () => {
    assert.deepEqual(
      faults(() => resolveSettings('worker', settings, sources({ flags: { files: ['missing.ts'] } }))),
      [
        'files: "/somewhere/missing.ts" (from the argument FILES) is invalid; ' +
          'allowed: one or more, each a file that exists',
      ],
    );
  });

  it('that do not exist are reported with a suggestion', () => {
    const [fault] = wrong({ file: file({ up: { prot: 80 } }) });
    assert.match(
      fault ?? '',
      /^up\.prot in zeromq-gateway\.yaml: no such setting \(its value is 80\) \(did you mean port\?\)/,
    );
    assert.match(fault ?? '', /allowed: port, router, classicRouter/);
    assert.match(
      wrong({ file: file({ up: [1] }) })[0] ?? '',
      /^up in zeromq-gateway\.yaml: \[1\] is invalid/,
    );
  });
});

describe('value types', () => {
  const accepts = (kind: kinds.ValueType<unknown>, value: unknown) =>
    kind.schema().validate(value).error === undefined;

  it('validate endpoints to connect to and to listen on', () => {
    for (const url of [
      'tcp://127.0.0.1:5555',
      'tcp://[::1]:5555',
      'tcp://router.example:5555',
      'ipc:///run/x.sock',
    ]) {
      assert.ok(accepts(kinds.connectEndpoint, url), url);
      assert.ok(accepts(kinds.listenEndpoint, url), url);
    }
    assert.ok(accepts(kinds.listenEndpoint, 'tcp://*:0'));
    for (const url of [
      'tcp://127.0.0.1:0',
      'inproc://x',
      'http://x:1',
      '127.0.0.1:5555',
      'tcp://127.0.0.1:70000',
      '',
    ]) {
      assert.ok(!accepts(kinds.connectEndpoint, url), url);
    }
    assert.ok(!accepts(kinds.listenEndpoint, 'inproc://x'));
  });

  it('validate hosts', () => {
    for (const host of ['127.0.0.1', '::1', '0.0.0.0', 'localhost', 'a.example'])
      assert.ok(accepts(kinds.host, host), host);
    for (const host of ['', 'a b', 'http://x', '*']) assert.ok(!accepts(kinds.host, host), host);
  });

  it('validate numbers', () => {
    for (const value of ['0', '8080', 8080]) assert.ok(accepts(kinds.port, value), String(value));
    for (const value of ['', ' ', '0x10', '1e999', '8080x', -1, 1.5, true, null, [], {}]) {
      assert.ok(!accepts(kinds.port, value), JSON.stringify(value));
    }
    assert.ok(!accepts(kinds.milliseconds, 0));
    assert.ok(!accepts(kinds.milliseconds, 2 ** 31));
  });

  it('validate the stall timeout of a thread', () => {
    const schema = kinds.stallTimeout.schema();
    assert.deepEqual(
      ['500', 'off', false].map((value) => schema.validate(value).value as unknown),
      [500, Infinity, Infinity],
    );
    for (const value of ['99', 'never', true, '1.5']) assert.ok(schema.validate(value).error, String(value));
  });

  it('validate files and folders', (t) => {
    const folder = tempFolder(t);
    writeFileSync(path.join(folder, 'f'), '');
    assert.ok(accepts(kinds.folder, folder) && accepts(kinds.file, path.join(folder, 'f')));
    assert.ok(!accepts(kinds.file, folder) && !accepts(kinds.folder, path.join(folder, 'f')));
    assert.ok(!accepts(kinds.folder, path.join(folder, 'missing')));
  });
});
