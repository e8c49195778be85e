/** The tests of one group of pages. */
import { blocksOf, type Group } from './blocks.ts';
import { testData, testLanguages, testPython } from './data.ts';
import { testShell } from './shell.ts';
import { testTypeScript } from './typescript.ts';

export function testGroup(group: Group): void {
  const blocks = blocksOf(group);
  const written = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));
  if (written('ts').length > 0) testTypeScript(written('ts'));
  if (written('sh').length > 0) testShell(written('sh'));
  testData(written('json', 'yaml'));
  testPython(written('python'));
  testLanguages(blocks);
}
