/** What every peer process does at its start and end: one line when it takes requests, exit 0 on SIGTERM. */

/** Tells the harness that requests may come; `endpoint` is where. */
export function ready(endpoint = '') {
  process.stdout.write(`ready ${endpoint}\n`);
}

/** Same, for an http.Server that has begun to listen on a port of its own choice. */
export function readyHttp(server) {
  ready(`http://127.0.0.1:${server.address().port}`);
}

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
