import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Errors, ServiceBroker } from 'moleculer';
import owners from '../services/owners.service';
import tasks, { type Task } from '../services/tasks.service';

const broker = new ServiceBroker({ logger: false });
broker.createService({ ...owners, actions: { get: () => ({ id: 'ada', name: 'Ada Lovelace' }) } });
broker.createService(tasks);
before(() => broker.start());
after(() => broker.stop());

test('a task is created, with the name of its owner, and can be read', async () => {
  const { id } = await broker.call<Task, object>('tasks.create', { title: 'Compare', owner: 'ada' });
  const task = await broker.call<Task, object>('tasks.get', { id });
  assert.deepEqual(task, { id, title: 'Compare', owner: 'Ada Lovelace' });
});

test('a title that is too long is rejected', async () => {
  const data = { title: 'x'.repeat(101), owner: 'ada' };
  await assert.rejects(broker.call('tasks.create', data), Errors.ValidationError);
});

test('an unknown task is answered with 404', async () => {
  await assert.rejects(broker.call('tasks.get', { id: 99 }), { code: 404 });
});
