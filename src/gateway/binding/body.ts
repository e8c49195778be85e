/** Reads the bodies of one operation: JSON, forms, text and bytes. */
import { isUtf8 } from 'node:buffer';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { Json } from '../../contract/json.ts';
import { holdsExact } from '../../core/json/exact-json.ts';
import type { BodyBinding } from '../../openapi/model/operation.ts';
import {
  bestMatch,
  essenceOf,
  FORM_TYPE,
  inRange,
  isFormType,
  isJsonType,
  isMultipartType,
  isTextType,
  MULTIPART_TYPE,
  parseMediaType,
} from '../common/media-type.ts';
import type { RequestIssue } from '../common/problem.ts';
import { type Shape, shapeOf } from '../validation/shape.ts';
import type { Validate, Validators } from '../validation/validate.ts';
import { fillDefaults, hasDefaults } from './defaults.ts';
import { textOfBytes } from './file.ts';
import { Form } from './form.ts';
import { BodyError, ParsedBody, parseJson } from './json.ts';
import { MultipartForm, type Part } from './multipart-form.ts';
import { FormFields, StreamedForm } from './streamed-form.ts';

/** The bytes of a body, the parts of a multipart form, or its first fields. */
export type BodyContent = Buffer | readonly Part[] | FormFields;

/** How the gateway reads a body. */
type BodyKind = 'json' | 'form' | 'multipart' | 'text' | 'binary';

const JSON_TYPE = 'application/json';
const MAX_PLANS = 20;

/** How to read a body of one media type of the document. */
class BodyPlan {
  readonly shape: Shape;
  readonly validate: Validate;
  /** Whether the schema has defaults. */
  readonly fillsDefaults: boolean;
  readonly form: Form;
  readonly multipart: MultipartForm;

  constructor(
    readonly binding: BodyBinding,
    document: OpenAPIV3_1.Document,
    validators: Validators,
  ) {
    this.shape = shapeOf(binding.schema, document);
    const encoding = isJsonType(binding.mediaType) ? {} : binding.encoding;
    this.form = new Form(this.shape, encoding);
    this.multipart = new MultipartForm(this.shape, encoding);
    this.validate = validators.at(binding.pointer, 'request');
    this.fillsDefaults = hasDefaults(binding.schema, document);
  }

  /** The rules of a multipart form whose files are streams. */
  get streamedForm(): StreamedForm {
    return new StreamedForm(this.multipart, this.validate);
  }

  /** How to read a body of a media type; undefined if the gateway cannot. */
  kindOf(type: string): BodyKind | undefined {
    if (isJsonType(type)) return 'json';
    if (isFormType(type)) return 'form';
    if (isMultipartType(type)) return 'multipart';
    if (!this.shape.acceptsText) return undefined;
    return isTextType(type) && !this.shape.isBinary ? 'text' : 'binary';
  }
}

/** How to read the bodies of one media type, as callers spell it. */
interface Reading {
  readonly plan: BodyPlan;
  readonly kind: BodyKind;
}

/** The bodies of one operation. */
export class Bodies {
  private readonly plans: readonly BodyPlan[];
  /** By media type, as callers spell it. */
  private readonly readings = new Map<string, Reading>();

  /**
   * @param maxDepth maximum levels of nesting in a JSON value.
   * @throws {Error} when a schema cannot be compiled.
   */
  constructor(
    bindings: readonly BodyBinding[],
    document: OpenAPIV3_1.Document,
    validators: Validators,
    private readonly maxDepth: number,
  ) {
    this.plans = bindings.map((binding) => new BodyPlan(binding, document, validators));
  }

  /** The media types that the gateway can read. */
  get mediaTypes(): string[] {
    return this.plans.filter(isReadable).map(({ binding }) => binding.mediaType);
  }

  /**
   * The media type by which a body is read; undefined if the gateway cannot read it.
   * @param header Content-Type header. Without one, the first media type of the document applies.
   */
  typeFor(header: string | undefined): string | undefined {
    if (header === undefined) return this.firstType;
    if (this.readings.has(header)) return header;
    const media = parseMediaType(header);
    const kind = media === undefined ? undefined : this.reading(header)?.kind;
    if (kind === undefined) return undefined;
    const charset = media?.charset ?? 'utf-8';
    const readable = kind === 'binary' || charset === 'utf-8' || charset === 'us-ascii';
    // Readings of unreadable character sets must not be found again.
    if (!readable) this.readings.delete(header);
    return readable ? header : undefined;
  }

  /**
   * The media type of a body that is sent as a stream; undefined if the operation does not accept
   * it. A stream is not read, so that its character set does not matter.
   */
  streamTypeFor(header: string | undefined): string | undefined {
    if (header === undefined) return 'application/octet-stream';
    return bestMatch(header, this.plans, ({ binding }) => binding.mediaType) === undefined
      ? undefined
      : header;
  }

  /** The media types of bodies that are sent as streams. */
  get streamTypes(): string[] {
    return this.plans.map(({ binding }) => binding.mediaType);
  }

  /** The rules of a multipart form whose files are streams. */
  streamedForm(type: string): StreamedForm | undefined {
    return this.reading(type)?.plan.streamedForm;
  }

  /** @returns undefined if there are issues. */
  read(type: string, content: BodyContent, issues: RequestIssue[]): ParsedBody | undefined {
    const reading = this.reading(type);
    if (reading === undefined) return undefined;
    try {
      return readContent(reading, content, this.maxDepth, issues);
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      issues.push({ pointer: '/body', detail: error.message });
      return undefined;
    }
  }

  /** The media type of a body without a Content-Type header. */
  private get firstType(): string | undefined {
    const [first] = this.mediaTypes;
    return first !== undefined && inRange(JSON_TYPE, essenceOf(first)) ? JSON_TYPE : first;
  }

  private reading(type: string): Reading | undefined {
    const known = this.readings.get(type);
    if (known !== undefined) return known;
    const mediaTypeOf = ({ binding }: BodyPlan): string => binding.mediaType;
    const plan =
      bestMatch(type, this.plans, mediaTypeOf) ??
      (isJsonType(type) ? bestMatch(JSON_TYPE, this.plans, mediaTypeOf) : undefined);
    const kind = plan?.kindOf(type);
    if (plan === undefined || kind === undefined) return undefined;
    const reading = { plan, kind };
    // The cache is bounded, since callers can send any number of types. Common types arrive first.
    if (this.readings.size < MAX_PLANS && kind !== 'multipart') this.readings.set(type, reading);
    return reading;
  }
}

function isReadable(plan: BodyPlan): boolean {
  const essence = essenceOf(plan.binding.mediaType);
  const isRange = essence.endsWith('/*');
  const kinds = isRange
    ? [JSON_TYPE, FORM_TYPE, MULTIPART_TYPE].filter((type) => inRange(type, essence))
    : [];
  return kinds.length > 0 || plan.kindOf(essence) !== undefined;
}

function readContent(
  { plan, kind }: Reading,
  content: BodyContent,
  maxDepth: number,
  issues: RequestIssue[],
): ParsedBody | undefined {
  const bytes = content as Buffer;
  switch (kind) {
    case 'json':
      return validated(plan, parseJson(bytes, maxDepth), issues);
    case 'form': {
      const before = issues.length;
      const body = bodyOf(plan.form.parse(bytes, issues));
      return issues.length > before ? undefined : validated(plan, body, issues);
    }
    case 'multipart':
      return content instanceof FormFields
        ? readFields(plan, content, issues)
        : readMultipart(plan, content as readonly Part[], issues);
    case 'text':
      if (!isUtf8(bytes)) throw new BodyError('is not UTF-8');
      return validated(plan, bodyOf(bytes.toString()), issues);
    case 'binary':
      plan.validate(textOfBytes(bytes), '/body', issues);
      return bodyOf(bytes.toString('base64'));
  }
}

function readMultipart(
  plan: BodyPlan,
  parts: readonly Part[],
  issues: RequestIssue[],
): ParsedBody | undefined {
  const before = issues.length;
  const { described, addFiles } = plan.multipart.read(parts, issues);
  if (issues.length > before) return undefined;
  if (plan.validate(described, '/body', issues, holdsExact(described)) && plan.fillsDefaults) {
    fillDefaults(described, plan.shape);
  }
  addFiles(described);
  return bodyOf(described);
}

function readFields(plan: BodyPlan, fields: FormFields, issues: RequestIssue[]): ParsedBody | undefined {
  const described = plan.streamedForm.readFields(fields, issues);
  if (described === undefined) return undefined;
  if (plan.fillsDefaults) fillDefaults(described, plan.shape);
  return bodyOf(described);
}

function validated(plan: BodyPlan, body: ParsedBody, issues: RequestIssue[]): ParsedBody {
  const valid = plan.validate(body.value, '/body', issues, body.exact);
  if (valid && plan.fillsDefaults) body.change((value) => fillDefaults(value, plan.shape));
  return body;
}

/** A body of a media type other than JSON. */
function bodyOf(value: Json): ParsedBody {
  return new ParsedBody(value, holdsExact(value), undefined);
}
