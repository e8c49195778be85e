/** The way to the admin listener: snapshots as they come, and requests. The token stays in this tab. */

const TOKEN = 'zeromq-gateway-admin-token';
/** Between attempts to connect again, in ms. */
const RETRY = 1000;

/** Something the listener would not do, and why. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

function headers(more = {}) {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? more : { ...more, authorization: `Bearer ${token}` };
}

/** Asks, or does something where there is a body. */
export async function ask(path, body) {
  const init = { headers: headers() };
  if (body !== undefined) {
    init.method = 'POST';
    init.headers = headers({ 'content-type': 'application/json' });
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer.detail);
  return answer;
}

/**
 * Reads server-sent events by fetch, which can send the token where EventSource cannot; connects again when they end.
 * @param handlers snapshot(data), state(text), refused(error): nothing is tried any more
 */
export async function follow(handlers) {
  for (;;) {
    try {
      const response = await fetch('api/live', { headers: headers() });
      if (response.status === 401 || response.status === 403) {
        const { detail } = await response.json();
        handlers.refused(new Refused(response.status, detail));
        return;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      handlers.state('live');
      await read(response.body, handlers);
    } catch {
      // It is tried again below.
    }
    handlers.state('connection lost, trying again');
    await new Promise((resolve) => setTimeout(resolve, RETRY));
  }
}

async function read(body, handlers) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split('\n\n');
    text = parts.pop();
    for (const part of parts) {
      const data = part.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) handlers.snapshot(JSON.parse(data.slice('data: '.length)));
    }
  }
}
