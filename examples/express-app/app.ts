/**
 * An Express app with the routes of workers under /api. The gateway is mounted as middleware.
 *
 *     npx tsx examples/express-app/app.ts
 *     curl -s localhost:3000/              # answered by the app
 *     curl -s localhost:3000/api/echo/hi   # answered by the worker
 *
 * Here, router and worker run in the same process. `requester` can also be a `ZeroMQClient` that is
 * connected to routers in other processes.
 */
import express from 'express';
import { ZeroMQRouter, ZeroMQWorker } from 'zeromq-gateway';
import { ApiRegistry, contractChecker, createGateway } from 'zeromq-gateway/gateway';
import echo from '../../workers/echo.ts';

const registry = new ApiRegistry({ info: { title: 'My app', version: '1.0.0' } });
const router = new ZeroMQRouter({
  frontendConnection: 'tcp://127.0.0.1:0',
  backendConnection: 'tcp://127.0.0.1:0',
  // Contracts that workers announce become routes.
  contractChecker: contractChecker(registry),
});
await router.start();
const worker = new ZeroMQWorker({ ...echo, connection: router });
await worker.start();

// With `fallthrough`, requests for paths without a route are passed on to the app.
const gateway = createGateway({ requester: router, api: registry, fallthrough: true });

const app = express();
app.get('/', (_request, response) => void response.send('my own page\n'));
app.use('/api', gateway.middleware);
app.use((_request, response) => void response.status(404).send('my own 404\n'));

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const address = server.address();
  console.log(`ready: http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`);
});

process.once('SIGTERM', () => {
  server.close(() => {
    void gateway
      .close()
      .then(() => worker.stop())
      .then(() => router.stop());
  });
});
