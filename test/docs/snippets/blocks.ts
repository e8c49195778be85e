/**
 * The code blocks of README.md and docs/, and tests that run every block that can run. The pages are
 * divided into groups, each with its own test file, so that no test file runs too long.
 *
 * - `ts`: type-checked in one program for all groups, and run. Each block must end by itself.
 * - `sh`: `npm start` and `npm test` must be scripts of package.json. Other commands run against one
 *   `zeromq-gateway up` for each group, whose ports replace the default ones. The ports in `OWN_PORTS`
 *   are for what a page starts itself. A comment after a command, up to `;`, is its expected output.
 *   Commands that keep running are stopped at the end of the page.
 * - `json`, `yaml`, `python`: parsed.
 *
 * A block below a line that ends in `` `name.ext`: `` becomes that file for the commands of its page.
 * `no-run: reason` after the language skips a block.
 */
import path from 'node:path';
import { PATIENCE } from '../../helpers/patience.ts';
import { type CodeBlock, codeBlocks, PAGES } from '../pages.ts';

export type Group = 'readme' | 'top-level' | 'framework' | 'guides' | 'reference';

/** Maximum time in ms for an example or a command to end. */
export const EXAMPLE_TIMEOUT = PATIENCE;

function groupOf(page: string): Group {
  switch (path.dirname(page)) {
    case '.':
      return 'readme';
    case 'docs':
      return 'top-level';
    case 'docs/framework':
      return 'framework';
    case 'docs/guides':
    case 'docs/tutorial':
      return 'guides';
    default:
      return 'reference';
  }
}

/** Returns the code blocks of all pages of a group. */
export function blocksOf(group: Group): CodeBlock[] {
  return PAGES.filter((page) => groupOf(page) === group).flatMap((page) => codeBlocks(page));
}

/** Returns the location of a block, as the name of its test. */
export const nameOf = ({ page, line, language }: CodeBlock): string => `${page}:${line} (${language})`;

/** Returns the options of a block's test. */
export const skip = ({ noRun }: CodeBlock) => (noRun === undefined ? {} : { skip: noRun });
