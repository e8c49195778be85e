/**
 * Plugin of Swagger UI that shows streams as they arrive: server-sent events, lines of JSON and JSON
 * text sequences. Swagger UI itself waits for the end of a response, and an event stream may have
 * none. "Clear" and another "Execute" end a stream.
 */
const STREAM =
  /^(?:text\/event-stream|application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|(?:.+\+)?json-seq))\s*(?:;|$)/i;

/** Maximum number of characters that are shown. The beginning of a longer stream is left out. */
const MAX_TEXT = 200_000;

/** Minimum time between two updates of the page, in milliseconds. */
const PAUSE = 100;

/** Streams that are read, by operation. */
const running = new Map();

/** Ends the stream of an operation. Nothing more of it is shown. */
function stopStream(path, method) {
  const key = `${method} ${path}`;
  running.get(key)?.abort();
  running.delete(key);
}

/** Reads a response while it arrives. Resolves with its text, which says so if it was cut off. */
async function readStream(response, controller, show) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let shown = 0;
  let timer;
  const update = () => {
    timer = undefined;
    shown = Date.now();
    if (!controller.signal.aborted) show(text);
  };
  // The head is shown at once, even if no item follows for a long time.
  update();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      if (text.length > MAX_TEXT) text = `…${text.slice(-MAX_TEXT)}`;
      timer ??= setTimeout(update, Math.max(0, PAUSE - (Date.now() - shown)));
    }
  } catch (error) {
    text += `\n… The stream was cut off: ${error.message}`;
  } finally {
    clearTimeout(timer);
  }
  return text;
}

/** Chromium sends a request twice while its cache holds an unfinished response of the same URL. */
function cacheOf({ headers }) {
  return STREAM.test(headers?.accept ?? '') ? { cache: 'no-store' } : {};
}

/** Returns the `fetch` for one request. */
function streamingFetch(request, specActions) {
  const { pathName, method } = request;
  return async (url, options) => {
    stopStream(pathName, method);
    const controller = new AbortController();
    const started = Date.now();
    const key = `${method} ${pathName}`;
    running.set(key, controller);
    // Swagger UI shows what a request resolves with; one that was stopped never does.
    const unlessStopped = (settled) => (controller.signal.aborted ? new Promise(() => undefined) : settled());
    let response;
    try {
      response = await fetch(url, { ...options, ...cacheOf(options), signal: controller.signal });
    } catch (error) {
      return unlessStopped(() => Promise.reject(error));
    }
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || response.body === null || !STREAM.test(type)) return response;
    const { status, statusText } = response;
    const headers = Object.fromEntries(response.headers);
    const show = (text) => {
      const duration = Date.now() - started;
      specActions.setResponse(pathName, method, {
        ok: true,
        url,
        status,
        statusText,
        headers,
        text,
        data: text,
        duration,
      });
    };
    const text = await readStream(response, controller, show);
    return unlessStopped(() => {
      running.delete(key);
      return new Response(text, { status, statusText, headers: response.headers });
    });
  };
}

const wrapActions = {
  executeRequest:
    (original, { specActions }) =>
    (request) =>
      original({ ...request, userFetch: streamingFetch(request, specActions) }),
  clearResponse: (original) => (path, method) => {
    stopStream(path, method);
    return original(path, method);
  },
};

window.SwaggerUIStreams = () => ({ statePlugins: { spec: { wrapActions } } });
