/** The sidebar of the site: its groups, and the pages of each. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of the pages. */
export const DOCS = path.resolve(import.meta.dirname, '..');

export interface SidebarItem {
  readonly text: string;
  readonly link: string;
}

export interface SidebarGroup {
  readonly text: string;
  readonly collapsed?: boolean;
  readonly items: readonly SidebarItem[];
}

/**
 * The groups of the sidebar with their pages, in order. An entry that ends in `/` stands for all pages of that folder that
 * are not listed before it. A page that is listed nowhere is added to *Guides*.
 */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Tutorial: [
    'tutorial/1-first-worker',
    'tutorial/2-from-python',
    'tutorial/3-to-production',
    'tutorial/4-streams',
  ],
  Guides: ['guides/', 'coming-from-python', 'python-side-by-side', 'python-numbers', 'interop', 'comparison'],
  Gateway: ['gateway/index', 'gateway/'],
  Framework: [
    'framework/index',
    'framework/connections',
    'framework/client',
    'framework/server',
    'framework/router',
    'framework/strategies',
    'framework/worker',
    'framework/handlers',
    'framework/streams',
    'framework/client-streams',
    'framework/contracts',
    'framework/',
  ],
  'Command line': [
    'cli/index',
    'cli/up',
    'cli/dev',
    'cli/gateway',
    'cli/router',
    'cli/worker',
    'cli/server',
    'cli/',
  ],
  Configuration: ['configuration/index', 'configuration/http', 'configuration/'],
  Security: ['security/index', 'security/'],
  Operation: ['operations/index', 'operations/', 'observability/index', 'observability/'],
  Guarantees: ['reliability/index', 'reliability/', 'liveness', 'multiple-routers'],
  Reference: ['errors', 'protocol/index', 'protocol/'],
  Internals: ['architecture', 'design-decisions', 'performance', 'benchmarks', 'dependencies'],
};

/** Groups that are closed until the reader opens them. */
const COLLAPSED = new Set([
  'Gateway',
  'Framework',
  'Command line',
  'Configuration',
  'Operation',
  'Guarantees',
]);

/** Returns all pages by path, without extension, except the home page and the generated API reference. */
function pages(): string[] {
  return readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(api|\.vitepress|node_modules)\//.test(name))
    .map((name) => name.slice(0, -'.md'.length))
    .filter((name) => name !== 'index')
    .sort();
}

/** Returns the first heading of a page. */
function titleOf(page: string): string {
  const text = readFileSync(path.join(DOCS, `${page}.md`), 'utf8');
  return /^# (.+)$/m.exec(text)?.[1] ?? page;
}

function itemOf(page: string): SidebarItem {
  return { text: titleOf(page), link: `/${page.replace(/(^|\/)index$/, '$1')}` };
}

/** Returns the groups of the sidebar that have pages. */
export function sidebar(): SidebarGroup[] {
  const left = new Set(pages());
  const take = (entry: string): string[] => {
    const found = [...left].filter((page) => (entry.endsWith('/') ? page.startsWith(entry) : page === entry));
    for (const page of found) left.delete(page);
    return found;
  };
  const groups = Object.entries(GROUPS).map(([text, entries]) => ({ text, pages: entries.flatMap(take) }));
  return groups
    .map(({ text, pages: listed }) => {
      const items = [...listed, ...(text === 'Guides' ? left : [])].map(itemOf);
      if (text === 'Reference') items.push({ text: 'API by name', link: '/api/' });
      return { text, items, ...(COLLAPSED.has(text) ? { collapsed: true } : {}) };
    })
    .filter(({ items }) => items.length > 0);
}
