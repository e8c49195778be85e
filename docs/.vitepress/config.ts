/**
 * The documentation site. `npm run docs:dev` serves it, `npm run docs:build` builds it into docs/.vitepress/dist.
 *
 * The site has the same pages as the repository. TypeDoc generates the reference under api/ from the sources.
 */
import path from 'node:path';
import { defineConfig, type MarkdownRenderer } from 'vitepress';
import { DOCS, sidebar } from './pages.ts';

/** The part of the renderer's environment that describes the current page. */
interface PageEnvironment {
  readonly relativePath?: string;
}

/** Renders links to files outside docs/ as plain text, because the site does not contain them. */
function unlinkOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('unlink-outside', (state) => {
    const { relativePath = '' } = state.env as PageEnvironment;
    for (const { children } of state.tokens) {
      let leaving = false;
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          const target = token.attrGet('href') ?? '';
          const file = path.resolve(DOCS, path.dirname(relativePath), target.split('#')[0] ?? '');
          leaving = !/^([a-z]+:|#|\/)/i.test(target) && !file.startsWith(DOCS);
        }
        const closing = token.type === 'link_close';
        if (leaving && (token.type === 'link_open' || closing)) {
          token.type = 'text';
          token.tag = '';
          token.content = '';
          token.nesting = 0;
        }
        if (closing) leaving = false;
      }
    }
  });
}

export default defineConfig({
  title: 'zeromq-gateway',
  description:
    'ZeroMQ clients, routers and workers, and an HTTP gateway that maps REST routes to their events',
  lang: 'en',
  cleanUrls: true,
  // The local search index keeps the site free of third-party requests.
  themeConfig: { search: { provider: 'local' }, sidebar: sidebar() as never, outline: [2, 3] },
  markdown: { config: unlinkOutside },
  ignoreDeadLinks: [/^http:\/\/localhost/],
});
