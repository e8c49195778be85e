// test:all: 35 s; readme.test.ts runs other pages, types.test.ts checks all
/** The code blocks of the other folders of docs/. */
import { testGroup } from './group.ts';

testGroup('reference');
