/** The Chromium of this machine, if one is installed. */
import { existsSync } from 'node:fs';
import { PATIENCE } from './patience.ts';

const PLACES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** Launch options for playwright. */
export const CHROMIUM = { executablePath, args: ['--no-sandbox'], timeout: PATIENCE };

/** Why browser tests are skipped; false if they can run. */
export const WITHOUT_CHROMIUM = executablePath === undefined ? 'Chromium is not installed' : false;
