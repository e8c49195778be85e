/** The connection to the admin listener. The token is kept in this tab only. */

const TOKEN = 'zeromq-gateway-admin-token';
/** Time between attempts to reconnect, in ms. */
const RETRY = 1000;

/** Thrown when the listener rejects a request. */
export class RequestRejected extends Error {
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

/** Sends a GET request, or a POST request if there is a body. */
export async function ask(path, body) {
  const init = { headers: headers() };
  if (body !== undefined) {
    init.method = 'POST';
    init.headers = headers({ 'content-type': 'application/json' });
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  const answer = await response.json();
  if (!response.ok) throw new RequestRejected(response.status, answer.detail);
  return answer;
}

/**
 * Reads server-sent events with `fetch`, since `EventSource` cannot send the token. Reconnects when
 * they end.
 * @param handlers snapshot(data), history(points), state(text), rejected(error); no retry follows the
 *   latter
 */
export async function follow(handlers) {
  for (;;) {
    try {
      const response = await fetch('api/live', { headers: headers() });
      if (response.status === 401 || response.status === 403) {
        const { detail } = await response.json();
        handlers.rejected(new RequestRejected(response.status, detail));
        return;
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      handlers.state('live');
      await read(response.body, handlers);
    } catch {
      // The loop reconnects below.
    }
    handlers.state('connection lost, reconnecting');
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
      const [name, data] = ['event: ', 'data: '].map((field) =>
        part
          .split('\n')
          .find((line) => line.startsWith(field))
          ?.slice(field.length),
      );
      if (data !== undefined) handlers[name]?.(JSON.parse(data));
    }
  }
}
