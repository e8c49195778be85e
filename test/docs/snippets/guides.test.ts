/** The code blocks of docs/guides/ and docs/tutorial/. */
import { testGroup } from './group.ts';

testGroup('guides');
