/** Security headers. Helmet creates them once, and not for each request. */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import helmet, { type HelmetOptions } from 'helmet';

/** The policy of API responses: a browser that displays one must not load or run anything. */
const API_POLICY = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
};

/**
 * The policy of Swagger UI: its own files, inline styles and images, and requests to this origin.
 */
const DOCS_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** Security headers of all API responses, names and values in turn. */
export function apiHeaders(setting: boolean | Readonly<HelmetOptions>): string[] {
  return setting === false ? [] : collect({ contentSecurityPolicy: API_POLICY, ...optionsOf(setting) });
}

/**
 * Security headers of the page that shows the document. The policy allows only what the page needs,
 * and is not configurable.
 */
export function docsHeaders(setting: boolean | Readonly<HelmetOptions>): string[] {
  return setting === false ? [] : collect({ ...optionsOf(setting), contentSecurityPolicy: DOCS_POLICY });
}

function optionsOf(setting: boolean | Readonly<HelmetOptions>): HelmetOptions {
  return typeof setting === 'object' ? setting : {};
}

/** Collects the headers that helmet sets on a response that is never sent. */
function collect(options: HelmetOptions): string[] {
  const request = {} as IncomingMessage;
  const response = new ServerResponse(Object.assign(request, { method: 'GET' }));
  helmet(options)(request, response, () => undefined);
  return Object.entries(response.getHeaders()).flatMap(([name, value]) => [name, String(value)]);
}
