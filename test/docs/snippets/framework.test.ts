// test:all: 80 s; readme.test.ts runs other pages, types.test.ts checks all
/** The code blocks of docs/framework/. */
import { testGroup } from './group.ts';

testGroup('framework');
