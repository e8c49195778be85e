/**
 * Contract of the tasks worker (workers/tasks.ts): a small to-do list that shows all common
 * operations of a REST resource.
 */
import Joi from 'joi';
import { defineContract } from 'zeromq-gateway';

export interface Task {
  id: number;
  title: string;
  notes: string;
  done: boolean;
  createdAt: string;
  updatedAt: string;
}

export type NewTask = Pick<Task, 'title' | 'notes' | 'done'>;
export type TaskId = Pick<Task, 'id'>;
export type TaskFilter = { done?: boolean; q?: string; limit: number; offset: number };
export type TaskPage = { items: Task[]; total: number; limit: number; offset: number };

const id = Joi.number().integer().min(1).required().description('Number of the task.').example(1);
const title = Joi.string().trim().min(1).max(200).description('What is to be done.').example('buy milk');
const notes = Joi.string().allow('').max(10_000).description('Anything else about it.');
const done = Joi.boolean().description('Whether it is done.');

const task = Joi.object<Task>({
  id,
  title: title.required(),
  notes: notes.required(),
  done: done.required(),
  createdAt: Joi.string().isoDate().required().description('When it was created.'),
  updatedAt: Joi.string().isoDate().required().description('When it was last changed.'),
}).description('The task.');

const missing = 'There is no task of this number: the code is `TASK_NOT_FOUND`.';

const tags = ['tasks'];

export default defineContract({
  name: 'tasks',
  info: { title: 'Tasks', version: '1.0.0', description: 'A to-do list.' },
  events: {
    // Members without a path parameter come from the query: GET /tasks?done=false&limit=10
    'tasks.list': {
      method: 'GET',
      path: '/tasks',
      summary: 'List tasks, oldest first',
      tags,
      etag: true,
      data: Joi.object<TaskFilter>({
        done: done.description('Only tasks that are done, or that are not.'),
        q: Joi.string().min(1).max(200).description('Only tasks with this text in their title.'),
        limit: Joi.number().integer().min(1).max(100).default(20).description('Most tasks to return.'),
        offset: Joi.number().integer().min(0).default(0).description('Tasks to skip.'),
      }),
      replies: {
        200: Joi.object<TaskPage>({
          items: Joi.array().items(task).required(),
          total: Joi.number().integer().min(0).required().description('Tasks that match, on all pages.'),
          limit: Joi.number().integer().required(),
          offset: Joi.number().integer().required(),
        }).description('One page of tasks.'),
      },
    },
    // Members come from the body: POST /tasks {"title": "buy milk"}
    'tasks.create': {
      method: 'POST',
      path: '/tasks',
      summary: 'Create a task',
      tags,
      data: Joi.object<NewTask>({
        title: title.required(),
        notes: notes.default(''),
        done: done.default(false),
      }),
      replies: { 201: task.description('The new task; Location says where it is.') },
    },
    'tasks.get': {
      method: 'GET',
      path: '/tasks/{id}',
      summary: 'Read a task',
      tags,
      etag: true,
      data: Joi.object<TaskId>({ id }),
      replies: { 200: task, 404: missing },
    },
    // Members come from path and body: PUT /tasks/1 {"title": "buy milk", "done": true}
    'tasks.replace': {
      method: 'PUT',
      path: '/tasks/{id}',
      summary: 'Replace a task',
      tags,
      data: Joi.object<TaskId & NewTask>({
        id,
        title: title.required(),
        notes: notes.default(''),
        done: done.default(false),
      }),
      replies: { 200: task, 404: missing },
    },
    // Setting members to given values is idempotent, so the router may redispatch the request if a
    // worker is lost.
    'tasks.patch': {
      method: 'PATCH',
      path: '/tasks/{id}',
      summary: 'Change some members of a task',
      tags,
      idempotent: true,
      data: Joi.object<TaskId & Partial<NewTask>>({ id, title, notes, done }).or('title', 'notes', 'done'),
      replies: { 200: task, 404: missing },
    },
    'tasks.delete': {
      method: 'DELETE',
      path: '/tasks/{id}',
      summary: 'Delete a task',
      tags,
      data: Joi.object<TaskId>({ id }),
      replies: { 204: Joi.any().description('It is gone.'), 404: missing },
    },
  },
});
