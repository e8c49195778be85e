/** Renders the document for `/openapi.json` and `/openapi.yaml`. */
import type { OpenAPIV3_1 } from 'openapi-types';
import type * as Yaml from 'yaml';
import type { ScalarTag } from 'yaml';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { ExactNumber, stringifyExact } from '../../core/json/exact-json.ts';
import { asVersion32 } from '../../openapi/index.ts';
import type { ApiSnapshot } from '../../openapi/model/operation.ts';
import { etagOf } from '../response/entity-tag.ts';
import { indexOf, type OperationPlace, operationDocument, WHOLE } from './document-parts.ts';

const yaml = lazyPackage<typeof Yaml>('yaml');

export type DocumentFormat = 'json' | 'yaml';

/** Versions of OpenAPI in which the document can be served. */
export const VERSIONS = ['3.1', '3.2'] as const;
export type DocumentVersion = (typeof VERSIONS)[number];

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

/**
 * Returns the version that the query of a request selects: the parameter `version`, or else 3.1.
 * Undefined if it is not a version of {@link VERSIONS}.
 */
export function versionOf(url: string | undefined): DocumentVersion | undefined {
  const query = url?.indexOf('?') ?? -1;
  if (url === undefined || query === -1) return '3.1';
  const [wanted = '3.1', ...others] = new URLSearchParams(url.slice(query)).getAll('version');
  if (others.length > 0) return undefined;
  return VERSIONS.find((version) => version === wanted || `${version}.0` === wanted);
}

/** Renders the document of one snapshot once for each format, version and mount path. */
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

  render(format: DocumentFormat, baseUrl: string, version: DocumentVersion = '3.1'): RenderedDocument {
    const key = `${format} ${version} ${baseUrl}`;
    const known = this.rendered.get(key);
    if (known !== undefined) return known;
    const served = this.document(baseUrl);
    const document = version === '3.2' ? asVersion32(served) : served;
    const text =
      format === 'json'
        ? stringifyExact(document)
        : yaml().stringify(document, { aliasDuplicateObjects: false, customTags: [EXACT_NUMBER] });
    return this.keep(key, bodyOf(text, format === 'json' ? 'application/json' : 'application/yaml'));
  }

  /** Renders the document as Swagger UI loads it: the whole document, or the index of a large one. */
  renderForPage(baseUrl: string): RenderedDocument {
    const isMany = this.snapshot.operations.length > WHOLE.operations;
    const whole = isMany ? undefined : this.render('json', baseUrl);
    if (whole !== undefined && whole.body.length <= WHOLE.bytes) return whole;
    const key = `index ${baseUrl}`;
    return this.rendered.get(key) ?? this.keep(key, jsonOf(indexOf(this.document(baseUrl))));
  }

  /** Renders the document of one operation; undefined if there is no such operation. */
  renderOperation(place: OperationPlace): RenderedDocument | undefined {
    const document = operationDocument(this.snapshot.document, place);
    return document && jsonOf(document);
  }

  private keep(key: string, rendered: RenderedDocument): RenderedDocument {
    if (this.rendered.size >= MAX_RENDERED) this.rendered.clear();
    this.rendered.set(key, rendered);
    return rendered;
  }
}

function jsonOf(document: unknown): RenderedDocument {
  return bodyOf(stringifyExact(document), 'application/json');
}

function bodyOf(text: string, contentType: string): RenderedDocument {
  const body = Buffer.from(text);
  return { body, contentType, etag: etagOf(body) };
}
