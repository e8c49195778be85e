/** Load of streams: downloads and uploads by curl, and readers of server-sent events. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LoadResult } from './load.ts';
import { percentile } from './stats.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;
const EVENT_END = '\n\n';

/** Bytes of one download or upload. */
export const TRANSFER_BYTES = 1024 * MIB;

/**
 * Downloads one file after the other; a request of the result is one MiB. The last download ends with
 * the time.
 */
export function download(origin: string, seconds: number): Promise<LoadResult> {
  return transfer(seconds, [`${origin}/bytes/${TRANSFER_BYTES}`], 'size_download');
}

/** Uploads one file after the other; see {@link download}. */
export async function uploadFiles(origin: string, seconds: number): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-upload-'));
  try {
    const file = join(folder, 'zeros');
    writeFileSync(file, '');
    truncateSync(file, TRANSFER_BYTES);
    const type = ['-H', 'content-type: application/octet-stream'];
    return await transfer(seconds, [...type, '-T', file, `${origin}/bytes`], 'size_upload');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Exit code of curl when the time is up. */
const TIME_IS_UP = 28;

async function transfer(
  seconds: number,
  args: readonly string[],
  size: 'size_download' | 'size_upload',
): Promise<LoadResult> {
  const began = performance.now();
  const times: number[] = [];
  let bytes = 0;
  let errors = 0;
  for (let left = seconds; left > 0; left = seconds - (performance.now() - began) / 1000) {
    const started = performance.now();
    const time = ['--max-time', left.toFixed(3)];
    const { code, text } = await curl([...time, '-w', `%{http_code} %{${size}}`, ...args]);
    const [status, moved] = text.split(' ').map(Number);
    const complete = status === 200 && moved === TRANSFER_BYTES;
    if (code === 0 ? complete : code === TIME_IS_UP) bytes += moved ?? 0;
    else errors += 1;
    if (complete) times.push(performance.now() - started);
  }
  return {
    requests: bytes / MIB,
    seconds: (performance.now() - began) / 1000,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    errors,
  };
}

async function curl(args: readonly string[]): Promise<{ code: number; text: string }> {
  try {
    const { stdout } = await run('curl', ['-s', '-o', '/dev/null', ...args]);
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, text: stdout };
  }
}

/** Readers of server-sent events that stay connected from load to load. */
export class EventReaders {
  private readonly sockets: Socket[] = [];
  private events = 0;
  private failed = 0;

  /** Connects readers until there are `count`. */
  async connect(origin: string, path: string, count: number): Promise<void> {
    while (this.sockets.length < count) {
      const { socket, first } = openReader(origin, path, (text) => {
        this.events += text.split(EVENT_END).length - 1;
      });
      socket.on('close', () => (this.failed += 1));
      this.sockets.push(socket);
      await first;
    }
  }

  /** Counts the events of a number of seconds. */
  async count(seconds: number): Promise<LoadResult> {
    const began = performance.now();
    const { events, failed } = this;
    await sleep(seconds * 1000);
    return {
      requests: this.events - events,
      seconds: (performance.now() - began) / 1000,
      p50: 0,
      p99: 0,
      errors: this.failed - failed,
    };
  }

  close(): void {
    for (const socket of this.sockets) socket.removeAllListeners('close').destroy();
  }
}

/** Measures the time from a request to its first event, on one connection after the other. */
export async function firstEvents(origin: string, path: string, seconds: number): Promise<LoadResult> {
  const began = performance.now();
  const times: number[] = [];
  while (performance.now() - began < seconds * 1000) {
    const { socket, sent, first } = openReader(origin, path, () => undefined);
    const started = await sent;
    await first;
    times.push(performance.now() - started);
    socket.destroy();
  }
  return {
    requests: times.length,
    seconds: (performance.now() - began) / 1000,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    errors: 0,
  };
}

interface Reader {
  readonly socket: Socket;
  /** Resolves with the time at which the request was sent. */
  readonly sent: Promise<number>;
  /** Resolves when the first event has arrived. */
  readonly first: Promise<void>;
}

function openReader(origin: string, path: string, onText: (text: string) => void): Reader {
  const { hostname, port, host } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.setEncoding('latin1');
  const sent = new Promise<number>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      const started = performance.now();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`);
      resolve(started);
    });
  });
  const first = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed before its first event')));
    let head = '';
    socket.on('data', (chunk: string) => {
      onText(chunk);
      if (head === 'read') return;
      head += chunk;
      if (!head.startsWith('HTTP/1.1 200')) return socket.destroy(new Error(head));
      if (!head.includes('data:')) return;
      head = 'read';
      resolve();
    });
  });
  return { socket, sent, first };
}
