import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DescriptorSink, StreamSink } from '../../../../src/core/logging/log-sink.ts';
import { allowed } from '../../../helpers/patience.ts';
import { type Cleanup, scopeOf } from '../../../helpers/scope.ts';
import { tempFolder } from '../../../helpers/temp.ts';

/** A pipe without a reader, and a function that reads its content. */
function stuckPipe(cleanup: Cleanup) {
  const path = join(tempFolder(cleanup), 'pipe');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const descriptor = openSync(path, 'r+');
  cleanup.after(() => closeSync(descriptor));
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  cleanup.after(() => closeSync(reader));
  const buffer = Buffer.alloc(1 << 16);
  /** The current content of the pipe. */
  const read = () => {
    try {
      return buffer.toString('utf8', 0, readSync(reader, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
      throw error;
    }
  };
  return { descriptor, read };
}

describe('DescriptorSink', () => {
  it('DescriptorSink: writes lines in order and joins those of a turn', async (t) => {
    const path = join(tempFolder(t), 'x');
    const sink = new DescriptorSink(openSync(path, 'w'));
    for (let index = 0; index < 5000; index += 1) {
      sink.write(`line ${index} é\n`);
      if (index % 1000 === 0) await turn();
    }
    await sink.close();
    sink.write('too late\n');
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.deepEqual(lines, [...Array.from({ length: 5000 }, (_, index) => `line ${index} é`), '']);
    assert.equal(sink.dropped, 0);
  });

  it('DescriptorSink: a stalled reader blocks nothing, keeps memory bounded and loses only the latest lines', async (t) => {
    const scope = scopeOf(t);
    const pipe = stuckPipe(scope);
    const sink = new DescriptorSink(pipe.descriptor, 100_000);
    const line = `${'x'.repeat(99)}\n`;
    let longest = 0;
    for (let index = 0; index < 200; index += 1) {
      const start = performance.now();
      for (let each = 0; each < 50; each += 1) sink.write(line);
      longest = Math.max(longest, performance.now() - start);
      await turn();
    }
    assert.ok(longest < allowed(1000), `a write took ${longest} ms`);
    assert.ok(sink.dropped > 5000, `${sink.dropped} dropped`);
    let closed = false;
    const closing = sink.close().then(() => (closed = true));
    let text = '';
    while (!closed) {
      text += pipe.read();
      await turn();
    }
    for (let more = pipe.read(); more !== ''; more = pipe.read()) text += more;
    await closing;
    const lines = text.trimEnd().split('\n');
    const news = lines
      .filter((each) => each.startsWith('{'))
      .map((each) => JSON.parse(each) as { dropped: number; msg: string });
    assert.equal(
      news.reduce((sum, { dropped }) => sum + dropped, 0),
      sink.dropped,
    );
    assert.equal(lines.length - news.length + sink.dropped, 10_000);
  });

  it('DescriptorSink: writes its buffer synchronously on request', (t) => {
    const path = join(tempFolder(t), 'x');
    const sink = new DescriptorSink(openSync(path, 'w'));
    sink.write('a\n');
    sink.write('b\n');
    sink.flushSync();
    assert.equal(readFileSync(path, 'utf8'), 'a\nb\n');
  });

  it('DescriptorSink: counts lines that cannot be written and continues', async () => {
    const descriptor = openSync('/dev/full', 'w');
    const sink = new DescriptorSink(descriptor);
    sink.write('a\n');
    await turn();
    sink.write('b\n');
    sink.flushSync();
    await sink.close();
    closeSync(descriptor);
    assert.equal(sink.dropped, 2);
  });
});

describe('StreamSink', () => {
  it('StreamSink: drops lines beyond its limit without a reader and reports the loss when there is space', async () => {
    const got: string[] = [];
    let release: (() => void) | undefined;
    let stuck = true;
    const stream = new Writable({
      decodeStrings: false,
      highWaterMark: 1,
      write(chunk: string, _encoding, done) {
        got.push(chunk);
        if (stuck) release = done;
        else done();
      },
    });
    const sink = new StreamSink(stream, 30);
    for (let index = 0; index < 10; index += 1) sink.write(`${index}23456789\n`);
    assert.equal(sink.dropped, 7);
    stuck = false;
    release?.();
    await turn();
    sink.write('after\n');
    await sink.close();
    assert.deepEqual(got.slice(0, 3), ['023456789\n', '123456789\n', '223456789\n']);
    assert.match(got[3] ?? '', /^\{"level":"warn".*"dropped":7,"msg":"log lines were dropped"\}\nafter\n$/);
  });

  it('StreamSink: survives a reader that disconnects', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
      },
    });
    const sink = new StreamSink(stream);
    sink.write('a\n');
    await turn();
    sink.write('b\n');
    await sink.close();
  });
});
