// test:all: 110 s; readme.test.ts runs other pages, types.test.ts checks all
/** The code blocks of docs/guides/ and docs/tutorial/. */
import { testGroup } from './group.ts';

testGroup('guides');
