import 'reflect-metadata';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { of } from 'rxjs';
import { AppModule, configure } from '../src/app.js';
import type { Task } from '../src/dto.js';

let app: INestApplication;
let url: string;

before(async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider('OWNERS')
    .useValue({ send: () => of({ id: 'ada', name: 'Ada Lovelace' }) })
    .compile();
  app = module.createNestApplication({ logger: false });
  configure(app);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
after(() => app.close());

function create(body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/tasks`, { method: 'POST', headers, body: JSON.stringify(body) });
}

test('a task is created, with the name of its owner, and can be read', async () => {
  const created = await create({ title: 'Compare', owner: 'ada' });
  assert.equal(created.status, 201);
  const { id } = (await created.json()) as Task;
  const task = await (await fetch(`${url}/tasks/${id}`)).json();
  assert.deepEqual(task, { id, title: 'Compare', owner: 'Ada Lovelace' });
});

test('a title that is too long is rejected', async () => {
  assert.equal((await create({ title: 'x'.repeat(101), owner: 'ada' })).status, 400);
});

test('an unknown task is answered with 404, and the document has all routes', async () => {
  assert.equal((await fetch(`${url}/tasks/99`)).status, 404);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  assert.deepEqual(Object.keys(document.paths).sort(), ['/tasks', '/tasks/{id}']);
});
