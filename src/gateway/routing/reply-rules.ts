/** What the document says about the replies of one operation. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { isObject, type Json, type JsonObject, member } from '../../contract/json.ts';
import { memberOfMethod } from '../../contract/other-methods.ts';
import type { Operation, ReplyBinding } from '../../openapi/model/operation.ts';
import { bestMatch, essenceOf, isJsonType } from '../common/media-type.ts';
import { resolveReference } from '../validation/shape.ts';
import type { Validate, Validators } from '../validation/validate.ts';

/** What the document says about replies of one status and media type. */
export interface ReplyRule {
  /** The declared success statuses if the status is not declared; undefined if it is. */
  readonly mismatch: readonly string[] | undefined;
  /** The validator of a JSON body; undefined if the document has no schema for it. */
  readonly validate: Validate | undefined;
}

/** What the document says about each item of a stream. */
export interface ItemRule {
  /** The validator of an item; for server-sent events, of the event, whose data is a text. */
  readonly item: Validate;
  /** The validator of the JSON in the data of an event; undefined if the data is only a text. */
  readonly data: Validate | undefined;
}

/** Maximum number of cached statuses: all that HTTP allows. */
const MAX_STATUSES = 500;

/** Maximum number of cached rules. Workers may send any number of media types. */
const MAX_RULES = 1000;

export class ReplyRules {
  private types: readonly string[] | undefined;
  private declared: readonly string[] | undefined;
  /** By status. */
  private readonly defaultTypes = new Map<number, string>();
  /** By media type, then by status. */
  private readonly rules = new Map<string, Map<number, ReplyRule>>();
  private ruleCount = 0;

  constructor(
    private readonly operation: Operation,
    private readonly document: OpenAPIV3_1.Document,
    private readonly validators: Validators,
  ) {}

  /** Media types that the document declares for successful replies; may be empty. */
  get produces(): readonly string[] {
    this.types ??= producedTypes(this.responses, this.document as unknown as JsonObject);
    return this.types;
  }

  /** @throws {Error} when the schema of the reply cannot be compiled. */
  rule(status: number, contentType: string): ReplyRule {
    const known = this.rules.get(contentType)?.get(status);
    if (known !== undefined) return known;
    const mismatch = this.mismatch(status);
    const rule = {
      mismatch,
      validate: mismatch === undefined ? this.validator(status, contentType) : undefined,
    };
    if (this.ruleCount < MAX_RULES) {
      const byStatus = this.rules.get(contentType) ?? new Map<number, ReplyRule>();
      this.rules.set(contentType, byStatus.set(status, rule));
      this.ruleCount += 1;
    }
    return rule;
  }

  /**
   * The media type of a reply without one: the first JSON type that is declared for the status, or
   * else the first type. Ranges do not count.
   */
  defaultType(status: number): string {
    let type = this.defaultTypes.get(status);
    if (type === undefined) {
      type = this.repliesOf(status)[0]?.mediaType ?? this.otherType(status) ?? 'application/json';
      if (this.defaultTypes.size < MAX_STATUSES) this.defaultTypes.set(status, type);
    }
    return type;
  }

  private mismatch(status: number): readonly string[] | undefined {
    // The keys of `responses` in the document: `200`, `4XX`, `default`.
    this.declared ??= Object.keys(this.responses).map((key) => key.replace('xx', 'XX'));
    const successes = this.declared.filter((key) => /^[123]/.test(key));
    if (successes.length === 0) return undefined;
    const isDeclared = responseKeys(status).some((key) => this.declared?.includes(key) === true);
    return isDeclared || this.isPartial(status) ? undefined : successes;
  }

  /**
   * Whether a reply has a part of declared bytes, or says that they have not changed (RFC 9110,
   * 15.3.7 and 15.4.5). The declaration of 200 covers it.
   */
  private isPartial(status: number): boolean {
    if (status !== 206 && status !== 304) return false;
    const whole = responseKeys(200);
    return this.operation.streams.some(
      (stream) => stream.format === 'bytes' && whole.includes(stream.status),
    );
  }

  private validator(status: number, contentType: string): Validate | undefined {
    if (!isJsonType(contentType) || status === 204 || status === 304) return undefined;
    const replies = this.repliesOf(status);
    const reply = bestMatch(contentType, replies, ({ mediaType }) => mediaType) ?? replies[0];
    return reply === undefined ? undefined : this.validators.at(reply.pointer, 'response');
  }

  /**
   * What the document says about each item of a stream; undefined if it has no schema for it.
   * @throws {Error} when the schema cannot be compiled.
   */
  itemRule(status: number, contentType: string): ItemRule | undefined {
    const { streams } = this.operation;
    for (const key of responseKeys(status)) {
      const declared = streams.filter((stream) => stream.status === key);
      const stream = bestMatch(contentType, declared, ({ mediaType }) => mediaType);
      if (stream === undefined) continue;
      const { itemPointer, dataPointer } = stream;
      if (itemPointer === undefined) return undefined;
      const data = dataPointer === undefined ? undefined : this.validators.at(dataPointer, 'response');
      return { item: this.validators.at(itemPointer, 'response'), data };
    }
    return undefined;
  }

  private repliesOf(status: number): readonly ReplyBinding[] {
    const { replies } = this.operation;
    for (const key of responseKeys(status)) {
      const found = replies.filter((reply) => reply.status.toUpperCase() === key.toUpperCase());
      if (found.length > 0) return found;
    }
    return [];
  }

  /** The first media type other than JSON that is declared for a status. */
  private otherType(status: number): string | undefined {
    const document = this.document as unknown as JsonObject;
    const entries = Object.entries(this.responses);
    for (const key of responseKeys(status)) {
      const [, response] = entries.find(([name]) => name.toUpperCase() === key.toUpperCase()) ?? [];
      if (response === undefined) continue;
      const content = isObject(response) ? member(resolved(response, document), 'content') : undefined;
      return Object.keys(isObject(content) ? content : {}).find((type) => isConcrete(type));
    }
    return undefined;
  }

  private get responses(): JsonObject {
    const { path, method } = this.operation;
    const responses = at(
      this.document as unknown as JsonObject,
      'paths',
      path,
      memberOfMethod(method),
      'responses',
    );
    return isObject(responses) ? responses : {};
  }
}

/** Whether a media type is neither a range nor that of problems, which the gateway writes. */
function isConcrete(type: string): boolean {
  return !type.includes('*') && !isJsonType(type);
}

/** Keys of `responses` that match a status, the most specific first. */
function responseKeys(status: number): string[] {
  return [String(status), `${Math.floor(status / 100)}XX`, 'default'];
}

function producedTypes(responses: JsonObject, document: JsonObject): string[] {
  const types = new Set<string>();
  for (const [status, response] of Object.entries(responses)) {
    if (!status.startsWith('2')) continue;
    const content = isObject(response) ? member(resolved(response, document), 'content') : undefined;
    if (isObject(content)) {
      for (const type of Object.keys(content)) types.add(essenceOf(type));
    }
  }
  // With a range such as `image/*`, the type is not known before the reply arrives.
  return [...types].some((type) => type.includes('*')) ? [] : [...types];
}

function at(root: Json, ...names: string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const name of names) value = isObject(value) ? member(value, name) : undefined;
  return value;
}

function resolved(response: JsonObject, document: JsonObject): JsonObject {
  const ref = member(response, '$ref');
  const target = typeof ref === 'string' ? resolveReference(ref, document) : undefined;
  return isObject(target) ? target : response;
}
