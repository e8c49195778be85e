/** Helpers for the document. They insert all texts as text, never as HTML. */

export const byId = (id) => document.getElementById(id);

/** Creates an element with a class and children, which may be texts. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Sets a text if it has changed, so that screen readers do not repeat unchanged texts. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Updates the children of a list to match items, by key. Elements are kept while their item exists,
 * so that the focus and the position of a screen reader stay.
 * @param make creates the element of a new item, with a method `show(item)`
 */
export function syncChildren(list, items, keyOf, make) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = known.get(key);
    if (child === undefined) {
      child = make(item);
      child.dataset.key = key;
    }
    known.delete(key);
    child.show(item);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of known.values()) child.remove();
}

export function rate(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}

export function time(ms) {
  if (ms === null) return '–';
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

export function share(value) {
  return value === 0 ? '0 %' : value < 0.001 ? '<0.1 %' : `${(value * 100).toFixed(1)} %`;
}
