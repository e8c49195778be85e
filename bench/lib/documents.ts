/** OpenAPI documents generated for the benchmarks, in a folder for temporary files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;

/**
 * Returns the path of a document with this many routes. Each resource has two, GET and PUT
 * `/things-N/{id}`, as is common in APIs.
 */
export function documentOf(routes: number): string {
  const paths: Record<string, object> = {};
  for (let index = 0; index < routes / 2; index += 1) {
    paths[thingPath(String(index), '{id}')] = {
      get: operation(`things.${index}.get`),
      put: putOperation(index),
    };
  }
  return write(`routes-${routes}.json`, paths);
}

/** Path of the resource with this index. */
export function thingPath(index: string, id: string): string {
  return `/things-${index}/${id}`;
}

/** Returns the path of a document with only the echo route. */
export function echoDocument(): string {
  const message = { name: 'message', in: 'path', required: true, schema: { type: 'string' } };
  return write('echo.json', {
    '/echo/{message}': { get: { ...operation('echo.get'), parameters: [message] } },
  });
}

const ID = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } };

function operation(event: string): object {
  const content = { 'application/json': { schema: { type: 'object' } } };
  return {
    'x-event-name': event,
    parameters: [ID],
    responses: { 200: { description: 'What was asked for', content } },
  };
}

function putOperation(index: number): object {
  const schema = {
    type: 'object',
    required: ['title'],
    properties: { title: { type: 'string', maxLength: 100 } },
  };
  const requestBody = { required: true, content: { 'application/json': { schema } } };
  return { ...operation(`things.${index}.put`), requestBody };
}

function write(name: string, paths: object): string {
  const document = { openapi: '3.1.0', info: { title: 'Benchmark', version: '1.0.0' }, paths };
  folder ??= makeFolder();
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(document));
  return path;
}

function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'zeromq-gateway-bench-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}
