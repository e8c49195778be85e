import { createCaller, defineContract, defineWorker, Joi, ReplyError, reply } from 'zeromq-gateway';
import { owners } from './owners.ts';

interface Task {
  id: number;
  title: string;
  owner: string;
}

const task = Joi.object<Task>({ id: Joi.number().integer(), title: Joi.string(), owner: Joi.string() });

export const contract = defineContract({
  name: 'tasks',
  events: {
    'tasks.create': {
      method: 'POST',
      path: '/tasks',
      data: Joi.object<{ title: string; owner: string }>({
        title: Joi.string().max(100).required(),
        owner: Joi.string().required(),
      }),
      replies: { 201: task, 404: 'Unknown owner' },
    },
    'tasks.get': {
      method: 'GET',
      path: '/tasks/{id}',
      data: Joi.object<{ id: number }>({ id: Joi.number().integer().required() }),
      replies: { 200: task, 404: 'Unknown task' },
    },
    'tasks.list': {
      method: 'GET',
      path: '/tasks',
      data: Joi.object<{ limit: number }>({ limit: Joi.number().integer().min(1).max(100).default(20) }),
      replies: { 200: Joi.array<Task[]>().items(task) },
    },
  },
});

const tasks: Task[] = [{ id: 1, title: 'Write docs', owner: 'Ada Lovelace' }];

export default defineWorker({
  contract,
  handlers: {
    'tasks.create': async ({ title, owner }, context) => {
      const { name } = await createCaller(context, owners)
        .call('owners.get', { id: owner })
        .catch((error: unknown) => {
          throw ReplyError.from(error);
        });
      const created = { id: tasks.length + 1, title, owner: name };
      tasks.push(created);
      return reply(201, created);
    },
    'tasks.get': ({ id }) => {
      const found = tasks.find((one) => one.id === id);
      if (found === undefined) throw new ReplyError(404, 'UNKNOWN_TASK', `no task has the id ${id}`);
      return found;
    },
    'tasks.list': ({ limit }) => tasks.slice(0, limit),
  },
});
