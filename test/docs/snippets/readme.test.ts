/** The code blocks of README.md. */
import { testGroup } from './group.ts';

testGroup('readme');
