/** The code blocks of the other folders of docs/. */
import { testGroup } from './group.ts';

testGroup('reference');
