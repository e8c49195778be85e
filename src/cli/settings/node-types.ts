/** Types of setting values of long-running commands. */
import { isZone } from '../../core/identity/zone.ts';
import { checked, type ValueType } from './value-types.ts';

export const httpUrl: ValueType<string> = {
  placeholder: 'URL',
  allowed: 'a URL, http://… or https://…',
  schema: checked((value) => {
    if (!/^https?:$/.test(new URL(value).protocol)) throw new Error('not HTTP');
  }),
};

export const zoneName: ValueType<string> = {
  placeholder: 'ZONE',
  allowed: '1 to 64 letters, digits, dots, hyphens and underscores',
  schema: checked((value) => {
    if (!isZone(value)) throw new Error('not a zone');
  }),
};
