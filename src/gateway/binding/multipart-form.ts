/** Reads bodies of the media type `multipart/form-data` into event data. */
import { isUtf8 } from 'node:buffer';
import { escapeToken, type Json, type JsonObject } from '../../contract/json.ts';
import type { FieldEncoding } from '../../openapi/model/operation.ts';
import { essenceOf, inRange, isJsonType } from '../common/media-type.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Shape } from '../validation/shape.ts';
import { FormFile, textOfBytes } from './file.ts';
import { Form, type FormField } from './form.ts';
import { BodyError } from './json.ts';

/** One part of a form: a field or a file. */
export interface Part {
  readonly name: string;
  /** Name of the file, without folders; undefined if the part has none. */
  readonly filename: string | undefined;
  /** Media type without parameters, in lower case; `text/plain` if the part has none (RFC 7578, 4.4). */
  readonly contentType: string;
  readonly content: Buffer;
}

/** A form that was read. */
export interface MultipartValue {
  /** The form as the document describes it: a file is a string with one character for each byte. */
  readonly described: JsonObject;
  /** Adds the files to event data. */
  readonly addFiles: (data: JsonObject) => void;
}

/** Reads the multipart forms of one operation. */
export class MultipartForm {
  private readonly form: Form;

  /** @param encoding the Encoding Objects of the document, by name of the field. */
  constructor(
    private readonly shape: Shape,
    private readonly encoding: Readonly<Record<string, FieldEncoding>>,
  ) {
    this.form = new Form(shape, encoding);
  }

  /**
   * Reads the parts of a form. A part is a file if it has a file name, a binary schema, or a media
   * type that is neither text nor JSON. The other parts are fields, as in URL-encoded forms.
   * @throws {BodyError} when a field is not UTF-8.
   */
  read(parts: readonly Part[], issues: RequestIssue[]): MultipartValue {
    const fields: FormField[] = [];
    const files = new Map<string, FormFile[]>();
    for (const part of parts) {
      if (this.isFile(part)) this.addFile(part, files, issues);
      else fields.push(toField(part));
    }
    const described = this.form.read(fields, issues);
    for (const [name, list] of files) {
      if (Object.hasOwn(described, name) || (list.length > 1 && !this.shape.property(name).acceptsArray)) {
        issues.push({ pointer: pointerTo(name), detail: 'is given more than once' });
      } else described[name] = this.valueOf(name, list, ({ content }) => textOfBytes(content));
    }
    const addFiles = (data: JsonObject): void => {
      for (const [name, list] of files) data[name] = this.valueOf(name, list, (file) => file.toEventData());
    };
    return { described, addFiles };
  }

  /** Whether a part is a file. */
  isFile({ name, filename, contentType }: Omit<Part, 'content'>): boolean {
    const property = this.shape.property(name);
    const value = property.acceptsArray ? property.item(0) : property;
    if (!value.acceptsText) return false;
    const isData = contentType.startsWith('text/') || isJsonType(contentType);
    return filename !== undefined || value.isBinary || !isData;
  }

  private addFile(part: Part, files: Map<string, FormFile[]>, issues: RequestIssue[]): void {
    const { name, filename, contentType, content } = part;
    // Browsers send a file field without a file as an empty one without a name.
    if (filename === '' && content.length === 0) return;
    const issue = this.fileIssue(part);
    if (issue !== undefined) issues.push(issue);
    const list = files.get(name) ?? [];
    list.push(new FormFile(filename, contentType, content));
    files.set(name, list);
  }

  /** What is wrong with the media type of a file. */
  fileIssue({ name, contentType }: Omit<Part, 'content'>): RequestIssue | undefined {
    const accepted = this.acceptedTypes(name);
    if (accepted.length === 0 || accepted.some((range) => inRange(contentType, range))) return undefined;
    const detail = `has the media type ${contentType}; the document accepts ${accepted.join(', ')}`;
    return { pointer: pointerTo(name), detail };
  }

  /** Whether fields of a name are files, by the document. */
  expectsFile(name: string): boolean {
    const property = this.shape.property(name);
    const value = property.acceptsArray ? property.item(0) : property;
    return value.acceptsText && (value.isBinary || value.types.size === 0);
  }

  /** Whether a name may be given more than once. */
  mayRepeat(name: string): boolean {
    return this.shape.property(name).acceptsArray;
  }

  /** The media types of a field (OpenAPI 3.1.1, Encoding Object, `contentType`). */
  private acceptedTypes(name: string): string[] {
    const declared = Object.hasOwn(this.encoding, name) ? this.encoding[name]?.contentType : undefined;
    return declared === undefined ? [] : declared.split(',').map(essenceOf);
  }

  private valueOf(name: string, list: readonly FormFile[], toJson: (file: FormFile) => Json): Json {
    const values = list.map(toJson);
    const [first = null] = values;
    return this.shape.property(name).acceptsArray ? values : first;
  }
}

/** The text of a field. */
function textOfPart({ content }: Part): string {
  if (!isUtf8(content)) throw new BodyError('has a field that is not UTF-8');
  return content.toString();
}

function toField(part: Part): FormField {
  const { name, contentType } = part;
  const type = isJsonType(contentType) ? contentType : undefined;
  return { name, raw: encodeURIComponent(textOfPart(part)), contentType: type };
}

function pointerTo(name: string): string {
  return `/body/${escapeToken(name)}`;
}
