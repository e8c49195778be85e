/**
 * dev: `zeromq-gateway dev`. Watches worker files, reloads those that changed without losing a
 * request, and shows errors and types.
 *
 * Opens a page in the browser of the desktop.
 */
import { spawn } from 'node:child_process';

/** The program that opens a URL, by platform. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', '""'],
};

/**
 * Opens a URL.
 *
 * @param failed called with the reason if no browser can be opened.
 * @param env environment with an optional `BROWSER`, the program to use.
 */
export function openBrowser(
  url: string,
  failed: (reason: string) => void,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const given = env['BROWSER'];
  const [command, ...args] = given ? ([given] as const) : (OPENERS[process.platform] ?? ['xdg-open']);
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', (error) => failed(error.message));
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) failed(`${command} ended with exit code ${code}`);
  });
  child.unref();
}
