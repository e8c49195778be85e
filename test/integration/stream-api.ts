/** A document whose operations have streams. */
import { apiOf, parameter } from '../helpers/gateway/api.ts';

const item = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };

const reply = (mediaType: string, media: object): Record<string, unknown> => ({
  responses: { 200: { description: 'ok', content: { [mediaType]: media } } },
});

export const streamApi = apiOf({
  '/events': {
    get: reply('text/event-stream', { 'x-item-schema': item }),
    post: reply('text/event-stream', {}),
  },
  '/resumable': { get: { ...reply('text/event-stream', {}), 'x-resumable': true } },
  '/lines': { get: reply('application/x-ndjson', { 'x-item-schema': item }) },
  '/file': { get: reply('application/octet-stream', { schema: {} }) },
  '/plain': { get: {} },
  '/upload': {
    post: {
      parameters: [parameter('kind', 'query', { type: 'string', enum: ['a', 'b'] })],
      requestBody: {
        'x-stream': true,
        'x-upload-limits': { bytes: 1_000_000 },
        content: { 'application/octet-stream': {}, 'image/*': {} },
      },
    },
    put: { requestBody: { 'x-stream': true, content: { '*/*': {} } } },
  },
  '/echo': {
    post: {
      requestBody: { 'x-stream': true, content: { '*/*': {} } },
      ...reply('application/octet-stream', { schema: {} }),
    },
  },
  '/form': {
    post: {
      requestBody: {
        'x-stream': true,
        'x-upload-limits': { files: 2, fields: 3 },
        content: {
          'multipart/form-data': {
            schema: {
              type: 'object',
              properties: {
                title: { type: 'string', minLength: 2 },
                count: { type: 'integer' },
                photo: { type: 'string', contentMediaType: 'image/png' },
                more: { type: 'array', items: { type: 'string', contentMediaType: 'image/png' } },
              },
              required: ['title', 'photo'],
              additionalProperties: false,
            },
            encoding: { photo: { contentType: 'image/png, image/jpeg' } },
          },
        },
      },
    },
  },
});
