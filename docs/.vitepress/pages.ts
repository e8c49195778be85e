/** The pages of the site by kind, as the sidebar has them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of the pages. */
export const DOCS = path.resolve(import.meta.dirname, '..');

export interface SidebarGroup {
  readonly text: string;
  readonly items: readonly { readonly text: string; readonly link: string }[];
}

/** Kinds, with the pages that come first in each. A page that is named nowhere is a guide. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  Tutorial: ['tutorial/1-first-worker', 'tutorial/2-from-python', 'tutorial/3-to-production'],
  Guides: ['framework', 'gateway', 'coming-from-python', 'interop', 'operations', 'comparison'],
  Reference: ['cli', 'configuration', 'errors'],
  Internals: ['architecture', 'protocol', 'performance'],
};

/** Pages by their path, without extension; those made from the sources, and the first page, left out. */
function pages(): string[] {
  return readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(api|\.vitepress|node_modules)\//.test(name))
    .map((name) => name.slice(0, -'.md'.length))
    .filter((name) => name !== 'index')
    .sort();
}

/** The first heading of a page. */
function titleOf(page: string): string {
  const text = readFileSync(path.join(DOCS, `${page}.md`), 'utf8');
  return /^# (.+)$/m.exec(text)?.[1] ?? page;
}

export function sidebar(): SidebarGroup[] {
  const known = new Set(Object.values(KINDS).flat());
  const others = pages().filter((page) => !known.has(page));
  return Object.entries(KINDS).map(([text, names]) => {
    const all = text === 'Guides' ? [...names, ...others] : names;
    const items = all.map((page) => ({ text: titleOf(page), link: `/${page}` }));
    if (text === 'Reference') items.push({ text: 'API, by name', link: '/api/' });
    return { text, items };
  });
}
