/** The worker module of call-worker.ts, in a process. */
import { defineWorker } from '../../src/index.ts';
import definition from './call-worker.ts';

export default defineWorker({ ...definition, isolation: 'process' });
