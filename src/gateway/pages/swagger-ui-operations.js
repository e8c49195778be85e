/**
 * Plugin of Swagger UI for large documents. The gateway sends an index of the operations instead of
 * the document, and this plugin loads each operation when it is opened.
 */
const NOTE =
  'This document is large: an operation and its schemas are loaded when you open it. ' +
  'The link at the top has the whole document.';

/** Resolved parts of the index, or promises of them, by path. */
const parts = new Map();

/** Whether a document is an index. */
function isIndex(document) {
  return document?.['x-index'] === true;
}

/** Loads the document of an operation. */
async function load(section, name, method) {
  const query = new URLSearchParams({ section, name, method });
  const response = await fetch(`./operation.json?${query}`);
  if (!response.ok) throw new Error(`the gateway responds with ${response.status}`);
  return response.json();
}

/** Resolves an operation, or a part of one, at a path such as `['paths', '/tasks', 'get']`. */
async function resolveOperation(resolve, index, path, options, prepare) {
  const [section, name, method] = path;
  try {
    return await resolve(prepare(await load(section, name, method)), path, options);
  } catch (error) {
    const description = `Cannot load this operation: ${error.message}. Reload the page.`;
    return { spec: { ...index[section]?.[name]?.[method], description }, errors: [] };
  }
}

/** Returns what replaces `resolveSubtree`, which processes the whole document for each of its parts. */
export function resolver(resolve, prepare) {
  return (document, path, options) => {
    if (!isIndex(document)) return resolve(document, path, options);
    const key = JSON.stringify(path);
    if (!parts.has(key)) {
      const { openapi, info, components } = document;
      const isOperation = path.length > 2 && path[0] !== 'components';
      const part = isOperation
        ? resolveOperation(resolve, document, path, options, prepare)
        : resolve({ openapi, info, paths: {}, components }, path, options);
      parts.set(key, part);
    }
    return parts.get(key);
  };
}

const wrapActions = {
  updateJsonSpec: (original, system) => (document) => {
    parts.clear();
    if (isIndex(document)) system.layoutActions.updateFilter(true);
    return original(document);
  },
};

/** Replaces the section of schemas, which an index does not have. */
const wrapComponents = {
  Models: (Models, system) => (props) => {
    const isWhole = system.specSelectors.specJson().get('x-index') !== true;
    const { createElement } = system.React;
    return isWhole ? createElement(Models, props) : createElement('p', { className: 'index-note' }, NOTE);
  },
};

globalThis.SwaggerUIOperations = () => ({
  statePlugins: { spec: { wrapActions } },
  wrapComponents,
  afterLoad({ fn }) {
    Object.assign(this.fn, { resolveSubtree: resolver(fn.resolveSubtree, fn.preparedDocument) });
  },
});
