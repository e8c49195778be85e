/**
 * The Express app of the gateway, and requests and responses that are born with its prototypes.
 *
 * Express gives each request and response its app's prototype, which makes the engine forget what it learned of
 * their shape. Objects of these classes have that prototype from the start, so nothing changes; and since they are
 * classes, the engine knows how many fields to make room for. Both were measured: together 100 µs a request.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import type { Dispatcher, Next } from '../exchange/dispatcher.ts';

/** An app and the classes of its requests and responses. */
export interface ExpressApp {
  readonly app: Express;
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
}

/** Makes the app with the gateway in it; paths that the gateway does not know go on to what is added later. */
export function newApp(dispatcher: Dispatcher, trustProxy: false | number | readonly string[]): ExpressApp {
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.set(
    'trust proxy',
    trustProxy === false || typeof trustProxy === 'number' ? trustProxy : [...trustProxy],
  );

  class GatewayRequest extends IncomingMessage {}
  class GatewayResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(GatewayRequest.prototype, express.request);
  Object.setPrototypeOf(GatewayResponse.prototype, express.response);
  Object.assign(GatewayRequest.prototype, { app });
  Object.assign(GatewayResponse.prototype, { app });
  Object.assign(app, { request: GatewayRequest.prototype, response: GatewayResponse.prototype });

  app.use((req: IncomingMessage, res: ServerResponse, next: Next) => dispatcher.handle(req, res, next));
  return { app, IncomingMessage: GatewayRequest, ServerResponse: GatewayResponse };
}
