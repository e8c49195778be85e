/** The code blocks of docs/framework/. */
import { testGroup } from './group.ts';

testGroup('framework');
