import type { ServiceSchema } from 'moleculer';
import OpenApi from 'moleculer-auto-openapi';

const service: ServiceSchema = {
  name: 'openapi',
  mixins: [OpenApi],
  settings: { openapi: { info: { title: 'Tasks', version: '1.0.0' } } },
};

export default service;
