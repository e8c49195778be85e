/** Asks before an action that interrupts an event. */
import { byId, setText } from './dom.js';

/** Shows a question. Resolves with whether the operator confirmed it. */
export function confirmed(title, text, verb) {
  const dialog = byId('confirm');
  setText(byId('confirm-title'), title);
  setText(byId('confirm-text'), text);
  setText(byId('confirm-yes'), verb);
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
