/** Responses of a document: the one to send, and its body from an example or from the schema. */
import { isObject, type Json, type JsonObject, member, pointerOf, textOf } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import { ReplyError } from '../../core/messages/errors.ts';
import { accepts, essenceOf, isJsonType } from '../../gateway/common/media-type.ts';
import type { ApiSnapshot } from '../../openapi/index.ts';
import { encodeItems, Samples, streamSample } from '../../openapi/index.ts';
import type { StreamBinding } from '../../openapi/model/operation.ts';
import { appliedPreferences, type Preferences } from './preferences.ts';

/** An operation of the document. */
export interface MockOperation {
  /** HTTP method in upper case. */
  readonly method: string;
  readonly path: string;
}

/** A response to send. */
export interface MockResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined if there is no body. */
  readonly data: unknown;
  /** Format of the stream that the body is; undefined if it is not one. */
  readonly stream: StreamBinding['format'] | undefined;
}

/** An object of the document, and its JSON pointer. */
interface Found {
  readonly object: JsonObject;
  readonly pointer: string;
}

/** Headers that the gateway itself sets. */
const OWN_HEADERS = new Set(['content-type', 'content-length', 'date', 'connection', 'transfer-encoding']);

/** References to the error responses that the gateway adds. */
const ADDED = /\/responses\/Problem\d{3}$/;

/** Makes the responses of one document. */
export class MockResponses {
  private readonly document: JsonObject;
  private readonly samples: Samples;
  private readonly operations: ApiSnapshot['operations'];
  /** Number of responses with `dynamic=true` so far. */
  private count = 0;

  constructor(snapshot: ApiSnapshot, seed: number) {
    this.document = snapshot.document as unknown as JsonObject;
    this.samples = new Samples(snapshot.document, seed);
    this.operations = snapshot.operations;
  }

  /**
   * Returns the response of an operation.
   *
   * @param accept the Accept header of the request.
   * @throws {ReplyError} when the document has no such response or example, or no value conforms to
   *   the schema.
   */
  response(operation: MockOperation, preferences: Preferences, accept: string | undefined): MockResponse {
    const all = this.responsesOf(operation);
    const { status, found } = select(all, operation, preferences.code);
    const applied = appliedPreferences(preferences);
    const headers: Record<string, string> = {
      ...this.headersOf(found),
      ...(applied === undefined ? {} : { 'preference-applied': applied }),
    };
    const media = this.mediaOf(found, accept);
    if (media === undefined || status === 204 || status === 304) {
      if (preferences.example !== undefined) throw noExample(preferences.example, status, []);
      return { status, headers, data: undefined, stream: undefined };
    }
    const [type, content] = media;
    const data =
      this.itemsFor(operation, content, type, preferences) ?? this.dataOf(content, type, status, preferences);
    const stream = this.streamOf(operation, type, status)?.format;
    return { status, headers: { ...headers, 'content-type': type }, data, stream };
  }

  /** The stream with which an operation replies; undefined if the reply is whole. */
  private streamOf({ method, path }: MockOperation, type: string, status: number): StreamBinding | undefined {
    const found = this.operations.find((one) => one.path === path && one.method === method.toLowerCase());
    const statuses = [String(status), `${String(status)[0]}XX`, 'default'];
    return found?.streams.find((one) => one.mediaType === type && statuses.includes(one.status));
  }

  private responsesOf({ method, path }: MockOperation): Map<string, Found> {
    const key = memberOfMethod(method.toLowerCase());
    const base = pointerOf('paths', path, key, 'responses');
    const paths = objectIn(this.document, 'paths');
    const responses = objectIn(objectIn(objectIn(paths, path), key), 'responses');
    const found = new Map<string, Found>();
    for (const [status, response] of Object.entries(responses)) {
      if (!status.startsWith('x-') && isObject(response)) {
        // Ranges of the author take precedence over the errors that the gateway adds to the document.
        const isAdded = ADDED.test(textOf(response, '$ref') ?? '');
        const ranges = [`${status[0]}XX`, `${status[0]}xx`, 'default'];
        if (isAdded && ranges.some((range) => Object.hasOwn(responses, range))) continue;
        found.set(status.toUpperCase(), this.follow(response, base + pointerOf(status)));
      }
    }
    return found;
  }

  /** Follows references to components. */
  private follow(object: JsonObject, pointer: string): Found {
    let found: Found = { object, pointer };
    for (let hops = 0; hops < 100; hops += 1) {
      const ref = textOf(found.object, '$ref');
      if (ref === undefined) return found;
      const [section = '', name = ''] = ref.split('/').slice(-2);
      found = {
        object: objectIn(objectIn(objectIn(this.document, 'components'), section), name),
        pointer: ref.slice(1),
      };
    }
    return found;
  }

  /** Returns the media type to send: the first JSON type that the caller accepts, or else another one. */
  private mediaOf({ object, pointer }: Found, accept: string | undefined): [string, Found] | undefined {
    const content = objectIn(object, 'content');
    const types = Object.keys(content);
    const wanted = types.filter((type) => accept === undefined || accepts(accept, [essenceOf(type)]));
    const usable = wanted.length > 0 ? wanted : types;
    const type = usable.find((one) => isJsonType(one)) ?? usable[0];
    if (type === undefined) return undefined;
    const media = content[type];
    const sent = type.includes('*') ? 'application/json' : type;
    return [sent, { object: isObject(media) ? media : {}, pointer: pointer + pointerOf('content', type) }];
  }

  /** Returns the items of a stream as bytes, unless an example has the text of the whole stream. */
  private itemsFor(
    { method, path }: MockOperation,
    { object, pointer }: Found,
    type: string,
    { example, dynamic }: Preferences,
  ): Buffer | undefined {
    const operation = this.operations.find((one) => one.path === path && one.method === method.toLowerCase());
    const stream = operation?.streams.find((one) => {
      return one.mediaType === type && one.itemPointer?.startsWith(`${pointer}/`) === true;
    });
    if (stream === undefined || stream.format === 'bytes') return undefined;
    const examples = this.examplesOf(object);
    const chosen =
      example === undefined
        ? (member(object, 'example') ?? [...examples.values()][0])
        : examples.get(example);
    if (Array.isArray(chosen)) return encodeItems(stream, chosen);
    if (example !== undefined || (!dynamic && chosen !== undefined)) return undefined;
    if (dynamic) this.count += 1;
    const items = streamSample(this.samples, stream, dynamic ? 'random' : 'full', dynamic ? this.count : 0, {
      examples: !dynamic,
    });
    return items && encodeItems(stream, items);
  }

  private dataOf(
    { object, pointer }: Found,
    type: string,
    status: number,
    preferences: Preferences,
  ): unknown {
    const { example, dynamic } = preferences;
    const examples = this.examplesOf(object);
    if (example !== undefined) {
      const named = examples.get(example);
      if (named === undefined) throw noExample(example, status, [...examples.keys()]);
      return bodyOf(named, type);
    }
    const single = member(object, 'example') ?? [...examples.values()][0];
    if (!dynamic && single !== undefined) return bodyOf(single, type);
    if (dynamic) this.count += 1;
    const label = dynamic ? this.count : 0;
    const extent = dynamic ? 'random' : 'full';
    const options = { direction: 'response', examples: !dynamic } as const;
    const made = this.samples.valid(`${pointer}/schema`, extent, label, options);
    if (made !== undefined) return bodyOf(made, type);
    const text = `no value was found that conforms to the schema of the response ${status}; add an example`;
    throw new ReplyError(501, 'NO_VALUE', text);
  }

  private examplesOf(media: JsonObject): Map<string, Json> {
    const found = new Map<string, Json>();
    for (const [name, example] of Object.entries(objectIn(media, 'examples'))) {
      if (!isObject(example)) continue;
      const value = member(this.follow(example, '').object, 'value');
      if (value !== undefined) found.set(name, value);
    }
    return found;
  }

  private headersOf({ object, pointer }: Found): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [name, header] of Object.entries(objectIn(object, 'headers'))) {
      if (!isObject(header) || OWN_HEADERS.has(name.toLowerCase())) continue;
      const found = this.follow(header, pointer + pointerOf('headers', name));
      const example = member(found.object, 'example') ?? [...this.examplesOf(found.object).values()][0];
      const value =
        example ??
        this.samples.valid(`${found.pointer}/schema`, 'full', name, {
          examples: true,
          characters: 'ascii',
        });
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      if (value !== undefined && /^[ -~]+$/.test(text)) headers[name.toLowerCase()] = text;
    }
    return headers;
  }
}

/** Selects a response: that of the preferred status, or else the first success. */
function select(
  all: ReadonlyMap<string, Found>,
  { method, path }: MockOperation,
  code: string | undefined,
): { status: number; found: Found } {
  if (code !== undefined) {
    const found = all.get(code) ?? all.get(`${code[0]}XX`) ?? all.get('DEFAULT');
    if (/^[2-5]\d\d$/.test(code) && found !== undefined) return { status: Number(code), found };
    const listed = [...all.keys()].map((status) => status.toLowerCase()).join(', ');
    const text = `${method} ${path} has no response ${code}; the document lists ${listed || 'none'}`;
    throw new ReplyError(400, 'NO_SUCH_RESPONSE', text);
  }
  const statuses = [...all.keys()].sort();
  const status =
    statuses.find((one) => one.startsWith('2')) ??
    statuses.find((one) => one.startsWith('3')) ??
    statuses.find((one) => one === 'DEFAULT');
  const found = status === undefined ? undefined : all.get(status);
  if (status === undefined || found === undefined) return { status: 200, found: { object: {}, pointer: '' } };
  return { status: status === 'DEFAULT' ? 200 : Number(status.replaceAll('X', '0')), found };
}

function noExample(name: string, status: number, known: readonly string[]): ReplyError {
  const text = `the response ${status} has no example ${name}; it has ${known.join(', ') || 'none'}`;
  return new ReplyError(400, 'NO_SUCH_EXAMPLE', text);
}

/** Other media types than JSON take a text unchanged. */
function bodyOf(value: Json, type: string): unknown {
  if (isJsonType(type)) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

function objectIn(object: JsonObject, name: string): JsonObject {
  const value = member(object, name);
  return isObject(value) ? value : {};
}
