/** Chromium, where it is installed. */
import { existsSync } from 'node:fs';

const PLACES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** What playwright starts it with. */
export const CHROMIUM = { executablePath, args: ['--no-sandbox'] };

/** Why tests in it cannot be run; false: they can. */
export const WITHOUT_CHROMIUM = executablePath === undefined ? 'Chromium is not installed' : false;
