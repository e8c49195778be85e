/** Changes of schemas, in requests and in responses. */
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { transform } from '../../contract/shapes.ts';
import { type Rejection, type RejectionRule, rejections } from '../checks/schema-compatibility.ts';
import { DirectedSchemas, type Direction } from '../model/direction.ts';
import type { ChangeLevel, Report } from './change.ts';

const ABSENT = { request: 'readOnly', response: 'writeOnly' } as const;

/** The schemas of one document, without the members that a direction does not have. */
export class DirectedSide {
  readonly schemas: JsonObject;
  private readonly directed: DirectedSchemas;

  constructor(
    schemas: JsonObject,
    private readonly direction: Direction,
  ) {
    this.directed = new DirectedSchemas(direction, schemas);
    const entries = Object.entries(schemas).map(([name, schema]) => [name, this.schema(schema)]);
    this.schemas = Object.fromEntries(entries) as JsonObject;
  }

  /** Returns a schema for this direction. */
  schema(schema: Json): Json {
    return transform('schema', schema, '', {
      enter: (_kind, object) => {
        this.directed.enter(object);
        const properties = member(object, 'properties');
        if (isObject(properties)) object['properties'] = this.present(properties);
        return object;
      },
    });
  }

  private present(properties: JsonObject): JsonObject {
    const absent = ABSENT[this.direction];
    const isPresent = ([, one]: [string, Json]): boolean => !isObject(one) || member(one, absent) !== true;
    return Object.fromEntries(Object.entries(properties).filter(isPresent));
  }
}

/** Both versions in one direction. */
export interface BothSides {
  readonly before: DirectedSide;
  readonly after: DirectedSide;
}

/** Rule and level of a difference: in the direction in which it may break clients, or the other one. */
type Meaning = readonly [rule: string, level: ChangeLevel];

/** The later version rejects what the earlier one accepted. */
const NARROWER: Readonly<Record<RejectionRule, Meaning>> = {
  nothing: ['request-rejected', 'breaking'],
  value: ['request-value-removed', 'breaking'],
  values: ['request-values-limited', 'breaking'],
  type: ['request-type-changed', 'breaking'],
  bound: ['request-bound-tightened', 'breaking'],
  required: ['request-member-required', 'breaking'],
  member: ['request-member-removed', 'breaking'],
  keyword: ['request-constraint-added', 'breaking'],
  undescribed: ['request-member-not-described', 'warning'],
};

/** The later version accepts what the earlier one rejected. */
const WIDER: Readonly<Record<RejectionRule, Meaning>> = {
  nothing: ['request-accepted', 'info'],
  value: ['request-value-added', 'info'],
  values: ['request-values-unlimited', 'info'],
  type: ['request-type-widened', 'info'],
  bound: ['request-bound-relaxed', 'info'],
  required: ['request-member-optional', 'info'],
  member: ['request-member-added', 'info'],
  keyword: ['request-constraint-removed', 'info'],
  undescribed: ['request-member-added', 'info'],
};

/** The later version returns what the earlier one did not. */
const UNEXPECTED: Readonly<Record<RejectionRule, Meaning>> = {
  nothing: ['response-added', 'breaking'],
  value: ['response-value-added', 'warning'],
  values: ['response-values-unlimited', 'warning'],
  type: ['response-type-changed', 'breaking'],
  bound: ['response-bound-relaxed', 'breaking'],
  required: ['response-member-optional', 'breaking'],
  member: ['response-member-added', 'info'],
  keyword: ['response-constraint-changed', 'warning'],
  undescribed: ['response-member-removed', 'warning'],
};

/** The later version no longer returns what the earlier one did. */
const NO_LONGER: Readonly<Record<RejectionRule, Meaning>> = {
  nothing: ['response-removed', 'info'],
  value: ['response-value-removed', 'info'],
  values: ['response-values-limited', 'info'],
  type: ['response-type-narrowed', 'info'],
  bound: ['response-bound-tightened', 'info'],
  required: ['response-member-always-present', 'info'],
  member: ['response-member-removed', 'info'],
  keyword: ['response-constraint-changed', 'info'],
  undescribed: ['response-member-added', 'info'],
};

/** Reports how the schema of a parameter or request body changed. */
export function requestChanges(
  sides: BothSides,
  before: Json,
  after: Json,
  what: string,
  report: Report,
): void {
  const [old, now] = both(sides, before, after);
  const strict = { ignoresMembers: false, asRead: true };
  const narrower = distinct(rejections(old, now, strict));
  for (const one of narrower) {
    // A changed pattern or format may accept the same values.
    const isUnclear = one.rule === 'keyword' && one.isChange;
    const [rule, level] = isUnclear
      ? (['request-constraint-changed', 'warning'] as const)
      : NARROWER[one.rule];
    report(level, rule, textOf(what, one, WORDS.narrower));
  }
  reportRest(distinct(rejections(now, old, strict)), narrower, WIDER, what, WORDS.wider, report);
}

/** Reports how the schema of a response body changed. */
export function responseChanges(
  sides: BothSides,
  before: Json,
  after: Json,
  what: string,
  report: Report,
): void {
  const [old, now] = both(sides, before, after);
  const tolerant = { ignoresMembers: true, asRead: true };
  const unexpected = distinct(rejections(now, old, tolerant));
  for (const one of unexpected) {
    const [rule, level] = UNEXPECTED[one.rule];
    report(level, rule, textOf(what, one, WORDS.unexpected));
  }
  const noLonger = distinct(rejections(old, now, tolerant));
  reportRest(noLonger, unexpected, NO_LONGER, what, WORDS.noLonger, report);
}

function both({ before, after }: BothSides, old: Json, now: Json) {
  return [
    { schema: before.schema(old), schemas: before.schemas },
    { schema: after.schema(now), schemas: after.schemas },
  ] as const;
}

/** Reports the harmless side of changes, unless its other side was reported already. */
function reportRest(
  found: readonly Rejection[],
  reported: readonly Rejection[],
  meanings: Readonly<Record<RejectionRule, Meaning>>,
  what: string,
  words: Words,
  report: Report,
): void {
  const known = new Set(reported.map(({ rule, location }) => `${kindOf(rule)} ${location}`));
  for (const one of found) {
    if (known.has(`${kindOf(one.rule)} ${one.location}`)) continue;
    const [rule, level] = meanings[one.rule];
    report(level, rule, textOf(what, one, words));
  }
}

/** Added and removed values are two changes; a changed type or keyword is one. */
function kindOf(rule: RejectionRule): string {
  return rule === 'value' ? 'value of the other side' : rule;
}

function distinct(found: Iterable<Rejection>): Rejection[] {
  const byText = new Map<string, Rejection>();
  for (const one of found) byText.set(`${one.rule} ${one.location} ${one.reason}`, one);
  return [...byText.values()];
}

type Words = (one: Rejection) => string;

const WORDS: Readonly<Record<'narrower' | 'wider' | 'unexpected' | 'noLonger', Words>> = {
  narrower: ({ rule, reason }) =>
    rule === 'undescribed' ? 'the member is no longer described' : rewritten(reason, 'is no longer accepted'),
  wider: ({ rule, reason }) =>
    rule === 'undescribed'
      ? 'the member is new'
      : rule === 'required'
        ? optional(reason)
        : rewritten(reason, 'is accepted as well', true),
  unexpected: ({ rule, reason }) =>
    rule === 'undescribed'
      ? 'the member was removed'
      : rule === 'required'
        ? reason.replace(/ is required$/, ' may be missing')
        : rewritten(reason, 'may be returned', true),
  noLonger: ({ rule, reason }) =>
    rule === 'undescribed'
      ? 'the member is new'
      : rule === 'required'
        ? reason.replace(/ is required$/, ' is always present')
        : rewritten(reason, 'is no longer returned'),
};

function optional(reason: string): string {
  return reason.replace(/ is required$/, ' is optional');
}

/** Rewrites the reason of a rejection as a change. */
function rewritten(reason: string, verb: string, relaxed = false): string {
  const text = reason
    .replace(/ is not among the values that are accepted$/, ` ${verb}`)
    .replace(/^a value of type any is not accepted$/, `a value of any type ${verb}`)
    .replace(/ (is|are) not accepted$/, ` ${verb}`);
  return relaxed ? text.replace(/ is tighter$/, ' is relaxed') : text;
}

function textOf(what: string, one: Rejection, words: Words): string {
  const place = one.location === '' ? what : `${what} at ${one.location}`;
  return `${place}: ${words(one)}`;
}
