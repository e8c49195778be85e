/**
 * `node --import …/register.mjs FILE.ts`: lets a process of this project run TypeScript, as tsx does,
 * but without its start time: results of the compiler are shared by all processes.
 */
import { register } from 'node:module';

process.setSourceMapsEnabled(true);
register('./hooks.mjs', import.meta.url);
