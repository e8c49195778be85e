/**
 * Fingerprints that tell whether two sources mean the same. The fingerprint of a component covers
 * everything that it reaches; that of an event covers the data that it accepts. Component names do
 * not matter and, for events, neither do annotations such as descriptions and examples.
 */
import { createHash } from 'node:crypto';
import { canonical, isObject, type Json, type JsonObject, member, textOf } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import { transform } from '../../contract/shapes.ts';
import { runAtOnce, type Steps } from '../../core/time/steps.ts';
import { refTo, resolve } from './component-reference.ts';
import { KEY_MARK } from './idempotency.ts';
import type { Ingested, IngestedOperation } from './ingested.ts';
import type { HttpMethod } from './operation.ts';
import { ANNOTATIONS } from './schema.ts';

/**
 * How deep references are followed. Components that differ only at a deeper level count as equal.
 */
const ROUNDS = 12;

/** JSON text with its `$ref`s left out: text and reference in turn. */
interface Rendered {
  readonly texts: readonly string[];
  readonly refs: readonly string[];
}

/** Computes the fingerprints of the components of one source on first use. */
export class Fingerprints {
  private readonly ingested: Ingested;
  private whole: ReadonlyMap<string, string> | undefined;
  private bare: ReadonlyMap<string, string> | undefined;
  private byEvent: ReadonlyMap<string, readonly IngestedOperation[]> | undefined;

  constructor(ingested: Ingested) {
    this.ingested = ingested;
  }

  /** Returns the fingerprint of `#/components/<section>/<name>`, annotations included. */
  component(section: string, name: string): string {
    return runAtOnce(this.ofComponents()).get(refTo(section, name)) ?? '';
  }

  /** Prepares `component` in steps; afterwards it only looks up the fingerprint. */
  *ofComponents(): Steps<ReadonlyMap<string, string>> {
    return (this.whole ??= yield* fingerprints(this.ingested.components, (_section, value) => value));
  }

  /** Computes what the fingerprints of all events share, in steps. */
  *ofEventSchemas(): Steps<ReadonlyMap<string, string>> {
    return (this.bare ??= yield* fingerprints(this.ingested.components, (section, value) =>
      section === 'schemas' ? stripped(value) : value,
    ));
  }

  /** Returns the fingerprint of the event data that the operations of an event accept. */
  event(eventName: string): string {
    const known = runAtOnce(this.ofEventSchemas());
    const data = (this.operationsOf().get(eventName) ?? []).map(({ path, method }) =>
      hash(render(this.data(path, method)), known),
    );
    return [...new Set(data)].sort().join(' ');
  }

  private operationsOf(): ReadonlyMap<string, readonly IngestedOperation[]> {
    if (this.byEvent !== undefined) return this.byEvent;
    const byEvent = new Map<string, IngestedOperation[]>();
    for (const operation of this.ingested.operations) {
      const known = byEvent.get(operation.eventName);
      if (known === undefined) byEvent.set(operation.eventName, [operation]);
      else known.push(operation);
    }
    this.byEvent = byEvent;
    return byEvent;
  }

  /**
   * Returns the event data of one operation: each field with its schema and whether it is required.
   */
  private data(path: string, method: HttpMethod): JsonObject {
    const operation = ((this.ingested.document['paths'] as JsonObject)[path] as JsonObject)[
      memberOfMethod(method)
    ] as JsonObject;
    const fields: JsonObject = {};
    for (const listed of (member(operation, 'parameters') ?? []) as Json[]) {
      const parameter = this.follow(listed);
      if (member(parameter, KEY_MARK) === true) continue;
      const content = member(parameter, 'content');
      const media = isObject(content) ? Object.values(content)[0] : parameter;
      const required = member(parameter, 'in') === 'path' || member(parameter, 'required') === true;
      const field = textOf(parameter, 'x-event-field') ?? textOf(parameter, 'name') ?? '';
      fields[field] = [required, this.schemaOf(media)];
    }
    const requestBody = this.follow(member(operation, 'requestBody') ?? {});
    const content = member(requestBody, 'content');
    const required = member(requestBody, 'required') === true;
    const bodies = Object.values(isObject(content) ? content : {})
      .map((media) => this.schemaOf(media))
      .map((schema) => [required, schema]);
    if (bodies.length === 0) return { fields };
    if (member(requestBody, 'x-stream') === true) {
      return { fields, upload: bodies, limits: member(requestBody, 'x-upload-limits') ?? null };
    }
    if (member(operation, 'x-event-body') === 'nested') return { fields: { ...fields, body: bodies } };
    const members = bodies.length === 1 ? this.plainMembers(bodies[0]?.[1] ?? true, required) : undefined;
    return members === undefined ? { fields, flat: bodies } : { fields: { ...fields, ...members } };
  }

  /**
   * Returns the schema of a parameter or media type without annotations. A plain reference is
   * replaced by its target.
   */
  private schemaOf(holder: Json | undefined): Json {
    const schema = stripped((isObject(holder) ? member(holder, 'schema') : undefined) ?? true);
    const mere = isObject(schema) && Object.keys(schema).length === 1 && Object.hasOwn(schema, '$ref');
    return mere ? stripped(this.follow(schema)) : schema;
  }

  /**
   * Returns the members of an object schema that has no other constraints, or undefined for any
   * other schema.
   */
  private plainMembers(schema: Json, bodyRequired: boolean): JsonObject | undefined {
    const followed = this.follow(schema);
    const { type, properties, required, ...rest } = stripped(followed) as JsonObject;
    const others = Object.keys(rest).filter((keyword) => keyword !== 'additionalProperties');
    if (type !== 'object' || !isObject(properties) || others.length > 0) return undefined;
    const names = bodyRequired && Array.isArray(required) ? required : [];
    const entries = Object.entries(properties).map(([name, of]): [string, Json] => [
      name,
      [names.includes(name), of],
    ]);
    return Object.fromEntries(entries);
  }

  private follow(value: Json): JsonObject {
    const resolved = resolve(this.ingested.components, value).value;
    return isObject(resolved) ? resolved : {};
  }
}

function* fingerprints(
  components: Readonly<Record<string, JsonObject>>,
  prepare: (section: string, value: Json) => Json,
): Steps<ReadonlyMap<string, string>> {
  const rendered = new Map<string, Rendered>();
  for (const [section, all] of Object.entries(components)) {
    for (const [name, value] of Object.entries(all)) {
      rendered.set(refTo(section, name), render(prepare(section, value)));
      yield;
    }
  }
  let known: ReadonlyMap<string, string> = new Map();
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = new Map<string, string>();
    for (const [ref, one] of rendered) {
      const settled = one.refs.length === 0 ? known.get(ref) : undefined;
      next.set(ref, settled ?? hash(one, known));
      yield;
    }
    known = next;
  }
  return known;
}

function render(value: Json): Rendered {
  const texts: string[] = [];
  const refs: string[] = [];
  let text = '';
  const walk = (item: Json): void => {
    if (Array.isArray(item)) {
      text += '[';
      for (const inner of item) {
        walk(inner);
        text += ',';
      }
      text += ']';
    } else if (isObject(item)) {
      text += '{';
      for (const name of Object.keys(item).sort()) {
        const inner = item[name] ?? null;
        text += `${JSON.stringify(name)}:`;
        if (name === '$ref' && typeof inner === 'string') {
          texts.push(text);
          refs.push(inner);
          text = '';
        } else walk(inner);
        text += ',';
      }
      text += '}';
    } else text += canonical(item);
  };
  walk(value);
  texts.push(text);
  return { texts, refs };
}

function hash(rendered: Rendered, known: ReadonlyMap<string, string>): string {
  const sum = createHash('sha256');
  rendered.texts.forEach((text, index) => {
    const ref = rendered.refs[index];
    sum.update(text).update(ref === undefined ? '' : (known.get(ref) ?? '?'));
  });
  return sum.digest('base64');
}

/** Returns the schema without annotations. */
function stripped(schema: Json): Json {
  return transform('schema', schema, '', {
    enter: (_kind, object) =>
      Object.fromEntries(
        Object.entries(object).filter(([name]) => !ANNOTATIONS.has(name) && !name.startsWith('x-')),
      ),
  });
}
