/**
 * Plugin of Swagger UI that prepares the document for readers: prefilled parameters, operations
 * without a worker marked in the list, and one response for the errors of the gateway. The document
 * that the gateway serves is unchanged.
 */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const PROBLEM = 'application/problem+json';
const PROBLEM_REF = /^#\/components\/responses\/Problem(\d{3})$/;
/** Maximum number of operations whose tags are open at first. */
const MANY = 150;
const UNAVAILABLE = '⚠ no worker connected';

/** Values of formats that a reader recognises. */
const FORMATS = {
  date: '2026-01-31',
  time: '12:00:00Z',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'P1DT12H',
  email: 'ada@example.com',
  'idn-email': 'ada@example.com',
  hostname: 'www.example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  iri: 'https://example.com/',
  uuid: '3fa85f64-5717-4562-b3fc-2c963f66afa6',
};

/** A realistic error: what a client sees first. */
const PROBLEM_EXAMPLE = {
  type: 'about:blank',
  title: 'Bad Request',
  status: 400,
  detail: 'The request does not conform to the document.',
  code: 'INVALID_REQUEST',
  requestId: '4f1c2a90-7d6e-4b7f-9a51-0c8d2e6b13aa',
  errors: [{ pointer: '/query/limit', detail: 'must be at most 100' }],
};

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Follows a reference within the document. Other values are returned unchanged. */
function follow(document, value) {
  let found = value;
  for (let steps = 0; isObject(found) && typeof found.$ref === 'string'; steps += 1) {
    if (steps === 20 || !found.$ref.startsWith('#/')) return undefined;
    const keys = found.$ref.slice(2).split('/');
    found = keys.reduce((at, key) => {
      const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
      return isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    }, document);
  }
  return found;
}

/** A number within the bounds of a schema. */
function numberOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf = 1 }) {
  const least = Math.max(minimum ?? -Infinity, (exclusiveMinimum ?? -Infinity) + multipleOf);
  const most = Math.min(maximum ?? Infinity, (exclusiveMaximum ?? Infinity) - multipleOf);
  const wanted = Math.min(Math.max(1, least), most);
  return Math.ceil(wanted / multipleOf) * multipleOf;
}

/** A value for a schema of a parameter; undefined if the schema does not suggest one. */
function valueOf(document, schema) {
  const {
    examples,
    example,
    default: byDefault,
    enum: values,
    const: only,
    type,
    ...rest
  } = follow(document, schema) ?? {};
  const given = [examples?.[0], example, byDefault, only, values?.[0]].find((value) => value !== undefined);
  if (given !== undefined) return given;
  const [first] = [type].flat().filter((each) => each !== 'null');
  if (first === 'boolean') return true;
  if (first === 'integer' || first === 'number') return numberOf(rest);
  if (first !== 'string') return undefined;
  if (Object.hasOwn(FORMATS, rest.format ?? '')) return FORMATS[rest.format];
  const isFree = rest.pattern === undefined && rest.format === undefined && !(rest.minLength > 6);
  return isFree && !(rest.maxLength < 6) ? 'sample' : undefined;
}

/** Prefills a required parameter that has no example. */
function prefilled(document, parameter) {
  const found = follow(document, parameter);
  if (!isObject(found) || found.required !== true) return parameter;
  if (found.example !== undefined || found.examples !== undefined) return parameter;
  const example = valueOf(document, found.schema);
  return example === undefined ? parameter : { ...found, example };
}

/** Replaces the error responses of the gateway by one, with the statuses in its description. */
function withOneProblem(responses) {
  const entries = Object.entries(responses);
  const statuses = entries.filter(([, each]) => PROBLEM_REF.test(each?.$ref ?? '')).map(([status]) => status);
  if (statuses.length < 2 || Object.hasOwn(responses, 'default')) return responses;
  return {
    ...Object.fromEntries(entries.filter(([status]) => !statuses.includes(status))),
    default: {
      description: `Errors of the gateway, as problem details: ${statuses.join(', ')}.`,
      content: {
        [PROBLEM]: { schema: { $ref: '#/components/schemas/ProblemDetails' }, example: PROBLEM_EXAMPLE },
      },
    },
  };
}

function preparedOperation(document, operation) {
  const { parameters, responses, summary = '' } = operation;
  const mark = operation['x-available'] === false ? [UNAVAILABLE] : [];
  return {
    ...operation,
    ...(mark.length > 0 && { summary: [...mark, summary].filter(Boolean).join(' – ') }),
    ...(Array.isArray(parameters) && { parameters: parameters.map((each) => prefilled(document, each)) }),
    ...(isObject(responses) && { responses: withOneProblem(responses) }),
  };
}

/** Operations of the document. */
function operationsOf({ paths }) {
  return Object.values(paths).flatMap((item) => METHODS.map((method) => item?.[method]).filter(isObject));
}

/**
 * The tags of the document, and after them those that only operations name, sorted. Tags whose
 * operations all have no worker come last.
 */
function allTags(document) {
  const { tags = [] } = document;
  const served = new Map();
  for (const operation of operationsOf(document)) {
    const isServed = operation['x-available'] !== false;
    for (const name of operation.tags ?? []) served.set(name, isServed || served.get(name) === true);
  }
  const declared = new Set(tags.map(({ name }) => name));
  const others = [...served.keys()].filter((name) => !declared.has(name)).sort();
  const all = [...tags, ...others.map((name) => ({ name }))];
  const isLast = ({ name }) => served.get(name) === false;
  return [...all.filter((tag) => !isLast(tag)), ...all.filter(isLast)];
}

/** Returns the document as the page shows it. */
export function prepared(document) {
  if (!isObject(document?.paths)) return document;
  const paths = {};
  for (const [path, item] of Object.entries(document.paths)) {
    paths[path] = { ...item };
    for (const method of METHODS)
      if (isObject(item?.[method])) paths[path][method] = preparedOperation(document, item[method]);
  }
  const tags = allTags(document);
  return { ...document, ...(tags.length > 0 && { tags }), paths };
}

/** Whether the tags of a document are closed at first, so that a large document is shown fast. */
export function startsCollapsed(document) {
  return isObject(document?.paths) && operationsOf(document).length > MANY;
}

const wrapActions = {
  // Swagger UI reads JSON with its YAML parser, which takes seconds for a document of some megabytes.
  parseToJson: (original, system) => (text) => {
    let document;
    try {
      document = JSON.parse(text ?? system.specSelectors.specStr());
    } catch {
      return original(text);
    }
    system.errActions.clear({ source: 'parser' });
    return system.specActions.updateJsonSpec(document);
  },
  updateJsonSpec: (original, system) => (document) => {
    const title = document?.info?.title;
    if (typeof title === 'string' && title !== '') globalThis.document.title = title;
    if (startsCollapsed(document)) system.getConfigs().docExpansion = 'none';
    return original(prepared(document));
  },
};

/** What an address such as `#/tasks/tasks/get` names. Swagger UI expects no slash in an operation id. */
export function shownKey([tag, ...operationId]) {
  if (operationId.length > 0) return ['operations', tag, operationId.join('/')];
  return tag ? ['operations-tag', tag] : [];
}

const wrapSelectors = { isShownKeyFromUrlHashArray: () => (_state, parts) => shownKey(parts) };

globalThis.SwaggerUIPage = () => ({
  fn: { preparedDocument: prepared },
  statePlugins: { spec: { wrapActions }, layout: { wrapSelectors } },
});
