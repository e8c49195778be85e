/** The dashboard: follows the admin listener, and does what its buttons say. */
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

/** How long (ms) a notice stays. */
const NOTICE_TIME = 8000;
let noticeTimer;

function notice(text) {
  setText(byId('notice'), text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => setText(byId('notice'), ''), NOTICE_TIME);
}

/** Does something, and says why where it cannot be done. */
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
    refused(error) {
      if (error.status !== 401) {
        setText(byId('connection'), 'not allowed');
        notice(error.message);
        return;
      }
      setText(byId('connection'), 'not allowed; reload the page to give the token');
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
