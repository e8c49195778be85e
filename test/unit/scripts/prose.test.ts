/** The check of `npm run prose`: it finds banned phrases in prose and only there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPhrases } from '../../../scripts/lib/prose.ts';

const found = (file: string, text: string) =>
  findPhrases(file, text).map(({ line, phrase }) => `${line} ${phrase}`);

/** One violation for each phrase of the list. */
const PLANTED = [
  'The frame is no JSON.',
  'They are no workers.',
  'Nobody serves it.',
  'No one serves it.',
  'Somebody may look.',
  'It does not run any more.',
  'Whoever connects is served.',
  'This is what becomes of requests.',
  'The caller is told the outcome.',
  'The caller will be told.',
  'The report tells of three workers.',
  'It is told as run.',
  'It waits for so long.',
  'You had better restart it.',
  'A worker of ours runs.',
  'It ends of its own accord.',
  'Requests under way are finished.',
  'It passes the body as it is.',
  'The event is on trial.',
  'The breaker rests.',
  'A port had by another process.',
  'An address that cannot be had is reported.',
  'It is unhandy.',
  'Mend the faults.',
  'That gets nowhere.',
  'The key lets in the peer, and they let in others.',
  'The request is given on to a worker.',
  'A stray event is counted.',
  'It waits lest it fails.',
  'The socket closes and he reconnects.',
  'The worker to whom it goes.',
  'It fails. Who has no key is rejected.',
];

test('prose: each banned phrase is found in a page, a comment, a string and a test name', () => {
  for (const sentence of PLANTED) {
    assert.notDeepEqual(found('docs/page.md', `# Page\n\n${sentence}\n`), [], `Markdown: ${sentence}`);
    assert.notDeepEqual(found('a.ts', `// ${sentence}\nexport {};\n`), [], `line comment: ${sentence}`);
    assert.notDeepEqual(found('a.ts', `/** ${sentence} */\nexport {};\n`), [], `TSDoc: ${sentence}`);
    assert.notDeepEqual(found('a.ts', `throw new Error('${sentence}');\n`), [], `string: ${sentence}`);
    assert.notDeepEqual(found('a.ts', `test(\`${sentence}\${1}\`);\n`), [], `template: ${sentence}`);
    assert.notDeepEqual(found('deploy/a.yaml', `# ${sentence}\na: 1\n`), [], `YAML: ${sentence}`);
  }
});

test('prose: plain English passes', () => {
  const text = [
    'There is no worker for the event. If there are no workers, it waits. It is no longer queued.',
    'It is sent as soon as it is ready, as long as it is valid. As it is queued, it can expire.',
    'The key must be at least as long as it is now. Who may connect? Retries are ours to ration.',
    'The router rejects the peer, and the caller decides who retries. Any more than three are rejected.',
  ].join('\n');
  assert.deepEqual(found('docs/page.md', text), []);
  assert.deepEqual(found('a.ts', `/*\n${text}\n*/\n`), []);
});

test('prose: a phrase is found across a line break, with the number of its first line', () => {
  assert.deepEqual(found('a.ts', '\n/**\n * What the frame holds is\n * no JSON.\n */\n'), ['3 is no']);
  assert.deepEqual(found('a.ts', '// It is not served any\n  // more.\n'), ['1 any more']);
  assert.deepEqual(found('docs/page.md', 'One.\n\nIt is\nno JSON.\n'), ['3 is no']);
});

test('prose: code is not prose', () => {
  assert.deepEqual(found('a.ts', 'const nobody = { whoever: 1 }; // `nobody`\n'), []);
  assert.deepEqual(found('a.ts', 'const url = /nobody\\/\\/ is no x/; const s = "http://nowhere";\n'), []);
  assert.deepEqual(found('a.ts', '/**\n * ```ts\n * nobody();\n * ```\n */\n'), []);
  assert.deepEqual(found('docs/page.md', '`nobody`\n\n```\nnobody\n```\n\n[page](nobody.md)\n'), []);
});

test('prose: neighbours in code do not make a phrase together', () => {
  assert.deepEqual(found('a.ts', "call('it is', 'no more'); // is\nno();\n"), []);
});

test('prose: an exception is marked where it stands and holds up to the next empty line', () => {
  const text = '// The word nobody is banned: prh:disable:nobody\n\n// Nobody, or nobody.\n';
  assert.deepEqual(found('a.ts', text), ['3 Nobody', '3 nobody']);
  assert.deepEqual(found('docs/page.md', 'The user `x` is nobody.\n<!-- prh:disable:nobody -->\n'), []);
});
