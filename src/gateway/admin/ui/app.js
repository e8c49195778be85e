/**
 * The dashboard: shows live snapshots of the admin listener, and sends the actions of its buttons.
 */
import { ask, follow, keepToken } from './connection.js';
import { byId, setText } from './dom.js';
import {
  showContracts,
  showEvents,
  showFailures,
  showGateways,
  showHealth,
  showRouters,
  showTotals,
  showWorkers,
} from './views.js';

/** How long a notice is visible, in ms. */
const NOTICE_TIME = 8000;
let noticeTimer;

function notice(text) {
  setText(byId('notice'), text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => setText(byId('notice'), ''), NOTICE_TIME);
}

/** Sends a request, and shows a notice if it fails. */
async function attempt(path, body) {
  try {
    return await ask(path, body);
  } catch (error) {
    notice(error.message);
    return undefined;
  }
}

const drain = (id, wanted) => attempt(`api/workers/${encodeURIComponent(id)}/drain`, { drain: wanted });
const pause = (name, wanted) => attempt(`api/events/${encodeURIComponent(name)}/pause`, { pause: wanted });

async function read(name) {
  const fragment = await attempt(`api/contracts/${encodeURIComponent(name)}`);
  if (fragment === undefined) return;
  setText(byId('contract-title'), name);
  setText(byId('contract-text'), JSON.stringify(fragment, undefined, 2));
  byId('contract').showModal();
}

function show(snapshot) {
  showHealth(snapshot);
  showTotals(snapshot);
  showGateways(snapshot);
  showRouters(snapshot);
  showWorkers(snapshot, drain);
  showEvents(snapshot, pause);
  showFailures(snapshot);
  showContracts(snapshot, read);
}

function start() {
  void follow({
    snapshot: show,
    state: (text) => setText(byId('connection'), text),
    rejected(error) {
      if (error.status !== 401) {
        setText(byId('connection'), 'not allowed');
        notice(error.message);
        return;
      }
      setText(byId('connection'), 'not allowed; reload the page to enter the token');
      setText(byId('login-why'), error.message);
      byId('token').value = '';
      byId('login').showModal();
    },
  });
}

byId('login-form').addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(byId('token').value.trim());
  byId('login').close();
  start();
});

start();
