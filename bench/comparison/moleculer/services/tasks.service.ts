import { type Context, Errors, type ServiceSchema } from 'moleculer';
import type { Owner } from './owners.service';

export interface Task {
  id: number;
  title: string;
  owner: string;
}

const tasks: Task[] = [{ id: 1, title: 'Write docs', owner: 'Ada Lovelace' }];

const taskSchema = {
  type: 'object',
  properties: { id: { type: 'integer' }, title: { type: 'string' }, owner: { type: 'string' } },
};
const json = (schema: object) => ({ 'application/json': { schema } });

const service: ServiceSchema = {
  name: 'tasks',
  actions: {
    create: {
      rest: 'POST /',
      params: { title: { type: 'string', min: 1, max: 100 }, owner: { type: 'string' } },
      openapi: { responses: { 201: { description: 'Created', content: json(taskSchema) } } },
      async handler(ctx: Context<{ title: string; owner: string }, { $statusCode?: number }>): Promise<Task> {
        const owner: Owner = await ctx.call<Owner, { id: string }>('owners.get', { id: ctx.params.owner });
        const created = { id: tasks.length + 1, title: ctx.params.title, owner: owner.name };
        tasks.push(created);
        ctx.meta.$statusCode = 201;
        return created;
      },
    },
    get: {
      rest: 'GET /:id',
      params: { id: { type: 'number', integer: true, convert: true } },
      openapi: { responses: { 200: { description: 'OK', content: json(taskSchema) } } },
      handler(ctx: Context<{ id: number }>): Task {
        const found = tasks.find((one) => one.id === ctx.params.id);
        if (found === undefined) {
          throw new Errors.MoleculerClientError(`no task has the id ${ctx.params.id}`, 404, 'UNKNOWN_TASK');
        }
        return found;
      },
    },
    list: {
      rest: 'GET /',
      params: { limit: { type: 'number', integer: true, convert: true, min: 1, max: 100, default: 20 } },
      openapi: {
        responses: { 200: { description: 'OK', content: json({ type: 'array', items: taskSchema }) } },
      },
      handler(ctx: Context<{ limit: number }>): Task[] {
        return tasks.slice(0, ctx.params.limit);
      },
    },
  },
};

export default service;
