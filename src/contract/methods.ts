/**
 * Methods that RFC 9110, 9.2.2 defines as idempotent, and further safe methods of the IANA registry,
 * in lower case as in OpenAPI documents.
 */
export const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set([
  'get',
  'head',
  'options',
  'trace',
  'put',
  'delete',
  'query',
  'propfind',
  'report',
  'search',
]);
