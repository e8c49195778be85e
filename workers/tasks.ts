/**
 * A to-do list in a SQLite file: one worker with all common operations of a REST resource.
 *
 *     zeromq-gateway worker workers/tasks.ts --router tcp://127.0.0.1:5556
 *
 * Tasks are stored in tasks.sqlite, in the folder given by ZMQ_GATEWAY_DATA (default: data, in the
 * working folder). Any number of threads and processes can serve the same file.
 */
import { join } from 'node:path';
import { defineWorker, ReplyError, reply } from 'zeromq-gateway';
import contract, {
  type NewTask,
  type Task,
  type TaskFilter,
  type TaskId,
  type TaskPage,
} from '../openapi/tasks.ts';
import { dataFolder } from './_data.ts';
import { type Database, openDatabase } from './_sqlite.ts';

/** Each thread has its own connection for as long as it runs. */
let database: Database;
let sql: ReturnType<typeof statements>;

function open(): void {
  database = openDatabase(join(dataFolder(), 'tasks.sqlite'));
  database.exec(`
    CREATE TABLE IF NOT EXISTS tasks (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      title TEXT NOT NULL,
      notes TEXT NOT NULL,
      done INTEGER NOT NULL,
      createdAt TEXT NOT NULL,
      updatedAt TEXT NOT NULL
    ) STRICT`);
  sql = statements();
}

function statements() {
  const matching = `FROM tasks
    WHERE (:done IS NULL OR done = :done) AND (:q IS NULL OR instr(lower(title), lower(:q)) > 0)`;
  return {
    list: database.prepare(`SELECT * ${matching} ORDER BY id LIMIT :limit OFFSET :offset`),
    count: database.prepare(`SELECT count(*) AS total ${matching}`),
    get: database.prepare('SELECT * FROM tasks WHERE id = :id'),
    create: database.prepare(`
      INSERT INTO tasks (title, notes, done, createdAt, updatedAt)
      VALUES (:title, :notes, :done, :now, :now) RETURNING *`),
    // A null parameter leaves its column unchanged.
    change: database.prepare(`
      UPDATE tasks SET title = coalesce(:title, title), notes = coalesce(:notes, notes),
        done = coalesce(:done, done), updatedAt = :now
      WHERE id = :id RETURNING *`),
    delete: database.prepare('DELETE FROM tasks WHERE id = :id'),
  };
}

function list({ done, q, limit, offset }: TaskFilter): TaskPage {
  const filter = { done: toNumber(done), q: q ?? null };
  const rows = sql.list.all({ ...filter, limit, offset });
  const { total } = sql.count.get(filter) as { total: number };
  return { items: rows.map(toTask), total, limit, offset };
}

function create({ title, notes, done }: NewTask) {
  const task = toTask(sql.create.get({ title, notes, done: toNumber(done), now: now() }));
  return reply(201, task, { location: `/tasks/${task.id}` });
}

function get({ id }: TaskId): Task {
  return toTask(sql.get.get({ id }) ?? missing(id));
}

/** Handles PUT and PATCH. The contract ensures that a PUT has every member. */
function change({ id, title, notes, done }: TaskId & Partial<NewTask>): Task {
  const values = { id, title: title ?? null, notes: notes ?? null, done: toNumber(done), now: now() };
  return toTask(sql.change.get(values) ?? missing(id));
}

function remove({ id }: TaskId) {
  if (Number(sql.delete.run({ id }).changes) === 0) missing(id);
  return reply(204);
}

function missing(id: number): never {
  throw new ReplyError(404, 'TASK_NOT_FOUND', `there is no task ${id}`);
}

/** Converts a row to a task. SQLite has no boolean type. */
function toTask(row: unknown): Task {
  const { id, title, notes, done, createdAt, updatedAt } = row as Omit<Task, 'done'> & { done: 0 | 1 };
  return { id, title, notes, done: done === 1, createdAt, updatedAt };
}

function toNumber(value: boolean | undefined): 0 | 1 | null {
  if (value === undefined) return null;
  return value ? 1 : 0;
}

const now = () => new Date().toISOString();

export default defineWorker({
  contract,
  handlers: {
    'tasks.list': list,
    'tasks.create': create,
    'tasks.get': get,
    'tasks.replace': change,
    'tasks.patch': change,
    'tasks.delete': remove,
  },
  onStart: open,
  onStop: () => {
    database.close();
  },
});
