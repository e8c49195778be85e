/**
 * The dashboard: shows live snapshots of the admin listener, and sends the actions of its buttons.
 */

import { confirmed } from './confirm.js';
import { ask, follow, keepToken } from './connection.js';
import { byId, setText } from './dom.js';
import { addPoints, showHistory } from './history.js';
import { eventsOnlyOf } from './sums.js';
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

/** The snapshot that the page shows. */
let latest;

async function drain(id, wanted) {
  const alone = wanted ? eventsOnlyOf(latest, id) : [];
  if (alone.length > 0) {
    const events = alone.slice(0, 5).join(', ') + (alone.length > 5 ? `, ${alone.length - 5} more` : '');
    const text = `No other worker serves ${events}. Their requests will fail or wait until one does.`;
    if (!(await confirmed('Drain the only worker?', text, 'Drain'))) return;
  }
  await attempt(`api/workers/${encodeURIComponent(id)}/drain`, { drain: wanted });
}

async function pause(name, wanted) {
  const text = `Requests of ${name} will wait in the queue until you resume the event, and fail at their deadlines.`;
  if (wanted && !(await confirmed(`Pause ${name}?`, text, 'Pause'))) return;
  await attempt(`api/events/${encodeURIComponent(name)}/pause`, { pause: wanted });
}

async function read(name) {
  const fragment = await attempt(`api/contracts/${encodeURIComponent(name)}`);
  if (fragment === undefined) return;
  setText(byId('contract-title'), name);
  setText(byId('contract-text'), JSON.stringify(fragment, undefined, 2));
  byId('contract').showModal();
}

function show(snapshot) {
  latest = snapshot;
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
    history(points) {
      addPoints(points);
      showHistory();
    },
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
