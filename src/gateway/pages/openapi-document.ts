/** Renders the document for `/openapi.json` and `/openapi.yaml`. */
import type { OpenAPIV3_1 } from 'openapi-types';
import { type ScalarTag, stringify } from 'yaml';
import { ExactNumber, stringifyExact } from '../../core/json/exact-json.ts';
import type { ApiSnapshot } from '../../openapi/model/operation.ts';
import { etagOf } from '../response/entity-tag.ts';

export type DocumentFormat = 'json' | 'yaml';

/** A document, rendered in one format. */
export interface RenderedDocument {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

/** Writes numbers that a double cannot hold with all their digits. */
const EXACT_NUMBER: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => value instanceof ExactNumber,
  resolve: (text) => new ExactNumber(text),
  stringify: ({ value }) => String(value),
};

/** Maximum number of cached renderings. A host can mount the gateway at any number of paths. */
const MAX_RENDERED = 16;

/** Renders the document of one snapshot once for each format and mount path. */
export class DocumentRenderer {
  private readonly rendered = new Map<string, RenderedDocument>();

  constructor(
    private readonly snapshot: ApiSnapshot,
    private readonly publicUrl: string | undefined,
  ) {}

  /**
   * The document, with this gateway as its only server.
   * @param baseUrl path at which the gateway is mounted; empty at the root.
   */
  document(baseUrl: string): OpenAPIV3_1.Document {
    return {
      ...this.snapshot.document,
      servers: [{ url: this.publicUrl ?? (baseUrl === '' ? '/' : baseUrl) }],
    };
  }

  render(format: DocumentFormat, baseUrl: string): RenderedDocument {
    const key = `${format} ${baseUrl}`;
    const known = this.rendered.get(key);
    if (known !== undefined) return known;
    const document = this.document(baseUrl);
    const text =
      format === 'json'
        ? stringifyExact(document)
        : stringify(document, { aliasDuplicateObjects: false, customTags: [EXACT_NUMBER] });
    const body = Buffer.from(text);
    const contentType = format === 'json' ? 'application/json' : 'application/yaml';
    const rendered = { body, contentType, etag: etagOf(body) };
    if (this.rendered.size >= MAX_RENDERED) this.rendered.clear();
    this.rendered.set(key, rendered);
    return rendered;
  }
}
