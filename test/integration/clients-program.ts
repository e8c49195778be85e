/**
 * Uses the client generated from the live document. `openapi-typescript` writes `api.ts` next to
 * it.
 */
export const PROGRAM = `
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.ts';

const [, , baseUrl = ''] = process.argv;
const client = createClient<paths>({ baseUrl });

const created = await client.POST('/tasks', { body: { title: 'write a client' } });
assert.equal(created.response.status, 201);
assert.ok(created.data);
const id: number = created.data.id;

const read = await client.GET('/tasks/{id}', { params: { path: { id } } });
const title: string | undefined = read.data?.title;
assert.equal(title, 'write a client');

const changed = await client.PATCH('/tasks/{id}', { params: { path: { id } }, body: { done: true } });
assert.equal(changed.data?.done, true);

const page = await client.GET('/tasks', { params: { query: { limit: 1, done: true } } });
assert.deepEqual(page.data?.items.map((task) => task.id), [id]);

const echo = await client.GET('/echo/{message}', { params: { path: { message: 'a b/ü' } } });
assert.deepEqual(echo.data, { message: 'a b/ü' });

const missing = await client.GET('/tasks/{id}', { params: { path: { id: 999_999 } } });
const problem: components['schemas']['ProblemDetails'] | undefined = missing.error;
assert.equal(problem?.code, 'TASK_NOT_FOUND');

const wrong = await client.POST('/tasks', {
  // @ts-expect-error a title is a text
  body: { title: 7 },
});
assert.equal(wrong.response.status, 400);
assert.equal(wrong.error?.errors?.[0]?.pointer, '/body/title');

export async function neverCalled(): Promise<void> {
  // @ts-expect-error there is no such path
  await client.GET('/nothing');
  // @ts-expect-error nothing is deleted there
  await client.DELETE('/echo/{message}', { params: { path: { message: 'x' } } });
  // @ts-expect-error a path parameter is missing
  await client.GET('/tasks/{id}');
  // @ts-expect-error an id is a number
  await client.GET('/tasks/{id}', { params: { path: { id: 'one' } } });
  // @ts-expect-error there is no such query parameter
  await client.GET('/tasks', { params: { query: { colour: 'red' } } });
  // @ts-expect-error a title is required
  await client.POST('/tasks', { body: {} });
  // @ts-expect-error a reply has no such field
  (await client.GET('/tasks/{id}', { params: { path: { id } } })).data?.colour;
}

console.log('all calls are answered');
`;
