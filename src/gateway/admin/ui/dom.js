/** Small helpers for the document. Text only ever becomes text: nothing is read as HTML. */

export const byId = (id) => document.getElementById(id);

/** An element with a class and children, texts among them. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Sets a text where it changed: what stays is not read out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes the children of a list follow items by their keys. Elements stay the same while their item is there, and with them
 * the focus and what a screen reader is at.
 * @param make gives the element of a new item, with a method `show(item)`
 */
export function follow(list, items, keyOf, make) {
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
