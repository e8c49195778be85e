/** Security headers, made by helmet once and not for each request. */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import helmet, { type HelmetOptions } from 'helmet';

/** Replies of an API are data: a browser that shows one may load and run nothing. */
const API_POLICY = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
};

/** What Swagger UI needs: its own files, its inline styles and images, and requests to this origin. */
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

/** Security headers of all replies, names and values in turn. */
export function apiHeaders(setting: boolean | Readonly<HelmetOptions>): string[] {
  return setting === false ? [] : collect({ contentSecurityPolicy: API_POLICY, ...optionsOf(setting) });
}

/** Security headers of the docs. Their policy is not configurable: it is what the page needs and nothing more. */
export function docsHeaders(setting: boolean | Readonly<HelmetOptions>): string[] {
  return setting === false ? [] : collect({ ...optionsOf(setting), contentSecurityPolicy: DOCS_POLICY });
}

function optionsOf(setting: boolean | Readonly<HelmetOptions>): HelmetOptions {
  return typeof setting === 'object' ? setting : {};
}

/** Lets helmet set its headers on a response that goes nowhere. */
function collect(options: HelmetOptions): string[] {
  const request = {} as IncomingMessage;
  const response = new ServerResponse(Object.assign(request, { method: 'GET' }));
  helmet(options)(request, response, () => undefined);
  return Object.entries(response.getHeaders()).flatMap(([name, value]) => [name, String(value)]);
}
