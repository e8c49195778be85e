/** The parts of the page. Each function shows one part of a snapshot. */
import { byId, element, rate, setText, share, syncChildren, time } from './dom.js';
import { sparkline } from './history.js';
import { eventsOf, statsOf } from './sums.js';

/** Creates a card with title, state, details and an optional button. */
function card(button) {
  const item = element('li');
  const name = element('span');
  const state = element('span', 'state');
  const detail = element('div', 'detail');
  item.append(element('div', 'title', name, state), detail);
  if (button !== undefined) item.append(button);
  item.fill = (title, stateText, details) => {
    setText(name, title);
    setText(state, stateText);
    setText(detail, details);
  };
  return item;
}

export function showTotals({ gateways, routers }) {
  const routed = routers.map((router) => router.requests.all);
  const asked = gateways.map((gateway) => gateway.requests.all);
  const seen = asked.length > 0 ? asked : routed;
  const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);
  const most = (of) => seen.reduce((worst, one) => Math.max(worst ?? 0, of(one) ?? 0), null);
  const requests = sum(seen, (one) => one.rate);
  const totals = {
    'requests/s': rate(requests),
    p50: time(most((one) => one.p50) || null),
    p99: time(most((one) => one.p99) || null),
    failed: share(requests === 0 ? 0 : sum(seen, (one) => one.failed * one.rate) / requests),
    queued: String(sum(routers, (router) => router.totals.queued)),
    'in flight': String(sum(gateways, (one) => one.inFlight) || sum(routers, (one) => one.totals.dispatched)),
  };
  syncChildren(
    byId('totals'),
    Object.entries(totals),
    ([name]) => name,
    ([name]) => {
      const value = element('dd');
      const made = element('div', '', element('dt', '', name), value);
      made.id = `total-${name.replace(/\W/g, '-')}`;
      made.show = ([, text]) => setText(value, text);
      return made;
    },
  );
}

export function showHealth({ health, version }) {
  const node = byId('health');
  const reasons = health.reasons.map(({ detail }) => detail).join(' ');
  setText(node, `${health.status}${reasons === '' ? '' : `: ${reasons}`}`);
  node.className = health.status === 'ok' ? 'good' : 'bad';
  setText(byId('version'), version);
}

export function showGateways({ gateways, routers }) {
  const cards = gateways.map(({ process, inFlight, streams = 0, requests: { all } }) => {
    const open = streams === 0 ? '' : `, ${streams} ${streams === 1 ? 'stream' : 'streams'}`;
    const details = `${rate(all.rate)} requests/s, p99 ${time(all.p99)}, ${inFlight} in flight${open}`;
    return { key: `gateway-${process}`, title: `gateway, process ${process}`, details };
  });
  for (const { router, totals } of routers) {
    if (totals.clients === 0) continue;
    const title = `${totals.clients} ${totals.clients === 1 ? 'client' : 'clients'} over sockets`;
    cards.push({
      key: `clients-${router}`,
      title,
      details: 'gateways and clients connected to the frontend',
    });
  }
  syncChildren(
    byId('gateways'),
    cards,
    ({ key }) => key,
    () => {
      const made = card();
      made.show = ({ title, details }) => made.fill(title, '', details);
      return made;
    },
  );
}

/** Shows the routers; those that do not report to this process with the reason. */
export function showRouters({ routers, unavailable }) {
  syncChildren(
    byId('routers'),
    [...routers, ...unavailable],
    ({ router }) => router,
    () => {
      const made = card();
      made.show = ({ router, reason, state, strategy, endpoints, totals, requests }) => {
        if (reason !== undefined) {
          made.dataset.state = 'unseen';
          made.fill(`router ${router}`, 'not reported', `${reason} · see its own admin listener`);
          return;
        }
        const { all } = requests;
        made.dataset.state = state === 'running' ? 'ready' : state;
        const work = `${rate(all.rate)} requests/s, ${totals.queued} queued, ${totals.dispatched} dispatched`;
        const places = Object.entries(endpoints).map(([name, place]) => `${name} ${place}`);
        made.fill(`router ${router.slice(0, 8)}`, state, [work, strategy, ...places].join(' · '));
      };
      return made;
    },
  );
}

/** Shows the workers, and those that left or were lost recently. */
export function showWorkers({ routers, departed, at }, drain) {
  const many = routers.length > 1;
  const current = routers.flatMap(({ router, workers }) =>
    workers.map((worker) => ({
      ...worker,
      key: `${router} ${worker.id}`,
      at: many && `at router ${router.slice(0, 8)}`,
    })),
  );
  const ids = new Set(current.map(({ id }) => id));
  const recentlyDeparted = departed
    .filter(({ id }) => !ids.has(id))
    .map((one) => ({
      ...one,
      key: one.id,
      state: isCleanStop(one) ? 'stopped' : 'departed',
      since: at - one.at,
    }));
  const latest = [...new Map(recentlyDeparted.map((one) => [one.id, one])).values()];
  syncChildren(
    byId('workers'),
    [...current, ...latest],
    ({ key }) => key,
    (worker) => workerCard(worker, drain),
  );
}

/** Whether a worker left as intended: it said goodbye, or its router stopped. */
const isCleanStop = ({ reason }) => reason === 'goodbye' || reason === 'stopped';

/** Creates the card of a worker, with its load and the button that drains it. */
function workerCard({ id, name = nameOf(id) }, drain) {
  const button = element('button');
  button.type = 'button';
  const load = element('meter');
  load.min = 0;
  load.setAttribute('aria-label', `requests held by ${name}`);
  const made = card(button);
  made.insertBefore(load, button);
  button.addEventListener('click', () => drain(id, made.dataset.state !== 'draining'));
  made.show = (worker) => {
    const { state } = worker;
    const isDeparted = state === 'departed' || state === 'stopped';
    made.dataset.state = state;
    button.hidden = isDeparted;
    load.hidden = isDeparted;
    if (isDeparted) {
      const holding = worker.held === 0 && state === 'stopped' ? '' : `, holding ${worker.held} requests`;
      const text = state === 'stopped' ? 'stopped' : `departed: ${worker.reason}`;
      made.fill(name, text, `${time(worker.since)} ago${holding}`);
      return;
    }
    load.max = worker.concurrency;
    load.value = worker.inFlight;
    const verb = state === 'draining' ? 'Resume' : 'Drain';
    setText(button, verb);
    button.setAttribute('aria-label', `${verb} worker ${name}`);
    made.fill(name, state, workerText(worker));
  };
  return made;
}

/** The details of a connected worker: load, heartbeats, events and circuit breakers. */
function workerText(worker) {
  const { events, inFlight, concurrency, classic, heartbeat, oldest, at, breakers = [] } = worker;
  const { host, pid, package: release, contract, version, key } = worker;
  const details = [
    `${inFlight} of ${concurrency} requests`,
    classic && 'classic',
    heartbeat && `last message ${time(heartbeat.silentFor)} ago, ${heartbeat.missed} heartbeats missed`,
    events === null ? 'unannounced events' : events.join(', '),
    breakers.map((one) => `circuit breaker ${one.state} for ${one.event}`).join(', '),
    oldest && `oldest request ${oldest.event}, held for ${time(oldest.heldFor)}`,
    contract && `contract ${contract}${version === undefined ? '' : ` ${version}`}`,
    host && `${host}${pid === undefined ? '' : `, process ${pid}`}`,
    release && `zeromq-gateway ${release}`,
    key && `key ${key}`,
    at,
  ];
  return details.filter(Boolean).join(' · ');
}

/** Shortens a worker identity to its end, which is different for each worker. */
function nameOf(id) {
  return /^[\da-f]{32}_[\da-f]{16}$/.test(id) ? id.slice(-8) : id;
}

/** The number of workers that serve an event, with the state of its circuit breakers. */
function workersText({ workers, tripped = 0, breaker = 'closed' }) {
  if (workers === 0) return 'no worker';
  if (breaker !== 'closed') return `${workers} (circuit breaker ${breaker})`;
  return tripped > 0 ? `${workers} (${tripped} circuit breakers not closed)` : workers;
}

/** Titles of the columns with figures. */
const COLUMNS = ['Requests/s', 'p50', 'p99', 'Failed', 'Queued', 'Workers'];

export function showEvents({ routers, gateways }, pause) {
  const stats = statsOf((routers.length > 0 ? routers : gateways).map(({ requests }) => requests));
  const events = eventsOf(routers);
  const names = [...new Set([...stats.keys(), ...events.keys()])].sort();
  const sorted = names.map((name) => [name, { stats: stats.get(name), event: events.get(name) }]);
  syncChildren(
    byId('events'),
    sorted,
    ([name]) => name,
    ([name]) => {
      const cells = COLUMNS.map((label) => {
        const cell = element('td', 'number');
        cell.dataset.label = label;
        return cell;
      });
      const line = sparkline(name);
      const head = element('th', '', name);
      head.scope = 'row';
      const button = element('button');
      button.type = 'button';
      const made = element('tr', '', head, element('td', '', line), ...cells, element('td', '', button));
      button.addEventListener('click', () => pause(name, !made.paused));
      made.show = ([, { stats, event }]) => {
        const values = stats
          ? [rate(stats.rate), time(stats.p50), time(stats.p99), share(stats.failed)]
          : ['0.0', '–', '–', '0 %'];
        const state = event
          ? [event.paused ? `${event.queued} (paused)` : event.queued, workersText(event)]
          : ['–', '–'];
        [...values, ...state].forEach((value, index) => setText(cells[index], String(value)));
        cells[3].classList.toggle('bad', stats !== undefined && stats.failed > 0.01);
        cells[5].classList.toggle('bad', event?.workers === 0);
        line.draw();
        made.paused = event?.paused === true;
        button.hidden = event === undefined;
        const verb = made.paused ? 'Resume' : 'Pause';
        setText(button, verb);
        button.setAttribute('aria-label', `${verb} event ${name}`);
      };
      return made;
    },
  );
}

export function showFailures({ routers, gateways }) {
  const reports = gateways.length > 0 ? gateways : routers;
  const failures = reports
    .flatMap(({ requests }) => requests.failures)
    .sort((a, b) => b.at - a.at)
    .slice(0, 20);
  const list = byId('failures');
  syncChildren(
    list,
    failures,
    ({ at, requestId, event }) => `${at} ${requestId} ${event}`,
    () => {
      const made = element('li');
      made.show = ({ at, event, code, detail = '', requestId }) => {
        const what = detail === '' ? code : `${code}: ${detail}`;
        setText(made, `${new Date(at).toLocaleTimeString()} ${event} ${what} (request ${requestId})`);
      };
      return made;
    },
  );
}

/** Shows the contracts by name. A contract is served if a worker of any router serves it. */
export function showContracts({ routers, unavailable }, read) {
  const byName = new Map();
  for (const one of [...routers, ...unavailable].flatMap((router) => router.contracts)) {
    byName.set(one.name, { ...one, available: one.available || byName.get(one.name)?.available === true });
  }
  const contracts = [...byName.values()];
  syncChildren(
    byId('contracts'),
    contracts,
    ({ name }) => name,
    ({ name }) => {
      const state = element('span');
      const button = element('button', '', 'Read');
      button.type = 'button';
      button.setAttribute('aria-label', `Read contract ${name}`);
      button.addEventListener('click', () => read(name));
      const made = element('li', '', element('span', '', name), state, button);
      made.show = ({ available }) => {
        setText(state, available ? 'served' : 'no worker');
        state.className = available ? 'good' : 'bad';
      };
      return made;
    },
  );
}
