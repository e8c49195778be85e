/**
 * The site of the documentation: `npm run docs:dev` shows it, `npm run docs:build` builds it into docs/.vitepress/dist.
 *
 * The pages are those that the repository shows; the reference under api/ is made from the sources by TypeDoc.
 */
import path from 'node:path';
import { defineConfig, type MarkdownRenderer } from 'vitepress';
import { DOCS, sidebar } from './pages.ts';

/** What the renderer knows of the page it is at. */
interface PageEnvironment {
  readonly relativePath?: string;
}

/** Links to files of the repository outside docs/ are shown as plain text: the site does not have them. */
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
  description: 'ZeroMQ clients, routers and workers, and an HTTP gateway that puts them under REST',
  lang: 'en',
  cleanUrls: true,
  // Nothing is fetched from elsewhere: search is built into the pages.
  themeConfig: { search: { provider: 'local' }, sidebar: sidebar() as never, outline: [2, 3] },
  markdown: { config: unlinkOutside },
  ignoreDeadLinks: [/^http:\/\/localhost/],
});
