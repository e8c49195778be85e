/** Contract of the files worker (workers/files.ts): uploads and downloads of any size. */
import Joi from 'joi';
import { bytes, defineContract, upload } from 'zeromq-gateway';

export interface FileInfo {
  name: string;
  /** Size in bytes. */
  size: number;
  /** Time of the last change. */
  changedAt: string;
}

export interface FileName {
  name: string;
}

export interface FileList {
  items: FileInfo[];
}

/** Names without folders, and none that starts with a dot. */
export const FILE_NAME: RegExp = /^[^./\\\u0000][^/\\\u0000]*$/;

const name = Joi.string()
  .max(200)
  .pattern(FILE_NAME)
  .required()
  .description('Name of the file.')
  .example('plan.pdf');
const info = Joi.object<FileInfo>({
  name: Joi.string().required(),
  size: Joi.number().integer().required(),
  changedAt: Joi.string().isoDate().required(),
});
const list = Joi.object<FileList>({ items: Joi.array().items(info).required() });
const byName = Joi.object<FileName>({ name });
const missing = 'There is no such file.';

export default defineContract({
  name: 'files',
  info: { title: 'Files', version: '1.0.0', description: 'Stores files in a folder.' },
  events: {
    'files.list': {
      method: 'GET',
      path: '/files',
      summary: 'List the files',
      tags: ['files'],
      replies: { 200: list },
    },
    'files.add': {
      method: 'POST',
      path: '/files',
      summary: 'Upload files of a form',
      tags: ['files'],
      data: Joi.object({}),
      body: upload({ files: { file: { required: true, multiple: true, description: 'Files to store.' } } }),
      replies: { 201: list },
    },
    'files.put': {
      method: 'PUT',
      path: '/files/{name}',
      summary: 'Upload a file',
      tags: ['files'],
      data: byName,
      body: upload({ description: 'Content of the file.' }),
      replies: { 200: info },
    },
    'files.get': {
      method: 'GET',
      path: '/files/{name}',
      summary: 'Download a file, or a range of it',
      tags: ['files'],
      data: byName,
      replies: { 200: bytes('application/octet-stream', { ranges: true }), 404: missing },
    },
    'files.delete': {
      method: 'DELETE',
      path: '/files/{name}',
      summary: 'Delete a file',
      tags: ['files'],
      data: byName,
      replies: { 204: null, 404: missing },
    },
  },
});
