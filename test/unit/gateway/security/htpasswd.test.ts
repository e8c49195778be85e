import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashSync } from '@node-rs/bcrypt';
import { readUsers } from '../../../../src/gateway/security/htpasswd.ts';

const HASH = hashSync('secret', 4);
const REST = HASH.slice(HASH.lastIndexOf('$') + 1);

function fileFault(text: string): string {
  try {
    readUsers([], text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new assert.AssertionError({ message: `no fault in ${text}` });
}

describe('a file of users', () => {
  it('user file: has a user on each line, comments and empty lines', () => {
    const text = `\uFEFF# people\r\neva:${HASH}\r\n\r\n   \r\nzoë:$2y$10$${REST}:a comment: of nginx\r\nold:$2a$04$${REST}  \n`;
    const users = readUsers([], text);
    assert.deepEqual(
      [...users].map(([name, { hash, caller }]) => [name, hash, caller]),
      [
        ['eva', HASH, { id: 'eva', scopes: undefined }],
        ['zoë', `$2y$10$${REST}`, { id: 'zoë', scopes: undefined }],
        ['old', `$2a$04$${REST}`, { id: 'old', scopes: undefined }],
      ],
    );
    assert.equal(readUsers([], '').size, 0);
  });

  it('user file: is combined with scopes and users of the settings', () => {
    const listed = [
      { id: 'eva', scopes: ['tasks:write'] },
      { id: 'otto', hash: HASH, scopes: ['tasks:read'] },
      { id: 'gone', scopes: ['tasks:read'] },
    ];
    const users = readUsers(listed, `eva:${HASH}`);
    assert.deepEqual([...users.keys()].sort(), ['eva', 'otto']);
    assert.deepEqual(users.get('eva')?.caller, { id: 'eva', scopes: ['tasks:write'] });
    assert.deepEqual(users.get('otto')?.caller, { id: 'otto', scopes: ['tasks:read'] });
  });

  it('user file: normalises user names to the Unicode form that clients send', () => {
    assert.deepEqual([...readUsers([], `zoe\u0308:${HASH}`).keys()], ['zo\u00EB']);
  });

  const refused: [line: string, fault: RegExp][] = [
    ['eva:topsecret', /line 2: the hash of eva must be a bcrypt hash, but is a plain text password or a DES/],
    ['eva:{PLAIN}topsecret', /plain text/],
    [
      'eva:$apr1$topsecret$x',
      /an MD5 hash; create the line with zeromq-gateway passwd eva, or with htpasswd -B/,
    ],
    ['eva:$1$topsecret$x', /an MD5 hash/],
    ['eva:{SHA}topsecret', /a SHA-1 hash/],
    ['eva:{SSHA}topsecret', /a SHA-1 hash/],
    ['eva:$5$topsecret', /a SHA-256 crypt hash/],
    ['eva:$6$topsecret', /a SHA-512 crypt hash/],
    ['eva:$y$topsecret', /a scrypt or yescrypt crypt hash/],
    ['eva:$argon2id$topsecret', /an Argon2 hash/],
    [`eva:$2x$10$${REST}`, /old, defective version of bcrypt/],
    ['eva:$2b$10$topsecret', /an incomplete bcrypt hash/],
    [`eva:$2b$03$${REST}`, /must have a cost from 4 to 14, but has 3/],
    [`eva:$2b$31$${REST}`, /must have a cost from 4 to 14, but has 31/],
    ['eva:', /plain text/],
    ['topsecret', /line 2: must be USER:HASH$/],
    [`:${HASH}`, /line 2: the user name must not be empty/],
    [`e\u0007va:${HASH}`, /line 2: the user name must not contain control characters/],
    [`root:${HASH}`, /line 2: the user root is there already/],
  ];
  for (const [line, fault] of refused) {
    it(`user file: rejects ${JSON.stringify(line.replace(REST, '…').replace(HASH, '…'))}`, () => {
      const message = fileFault(`root:${HASH}\n${line}\n`);
      assert.match(message, fault);
      assert.doesNotMatch(message, /topsecret/);
      assert.ok(!message.includes(REST), message);
    });
  }

  it('user file: reports all problems at once, the first five in full', () => {
    assert.match(fileFault('a\nb\n'), /^line 1: .*; line 2: /);
    const many = fileFault('a\n'.repeat(7));
    assert.match(many, /line 5: must be USER:HASH; and 2 more$/);
    assert.doesNotMatch(many, /line 6/);
  });
});
