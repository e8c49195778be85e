import type { ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';

const service: ServiceSchema = {
  name: 'api',
  mixins: [ApiGateway],
  settings: {
    port: Number(process.env['PORT'] ?? 3000),
    ip: '127.0.0.1',
    rootCallOptions: {},
    routes: [
      {
        path: '/',
        autoAliases: true,
        whitelist: ['tasks.*', 'openapi.*'],
        aliases: { 'GET /openapi.json': 'openapi.generateDocs' },
        bodyParsers: { json: true },
        mappingPolicy: 'restrict',
      },
    ],
  },
};

export default service;
