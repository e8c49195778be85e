/** Contract of the report worker (workers/reports.ts): its replies may come later. */
import Joi from 'joi';
import { defineContract } from 'zeromq-gateway';

export interface ReportOptions {
  title: string;
  pages: number;
}

export interface Report {
  title: string;
  /** Text of each page. */
  pages: string[];
}

const options = Joi.object<ReportOptions>({
  title: Joi.string().max(100).required(),
  pages: Joi.number()
    .integer()
    .min(1)
    .max(100)
    .default(20)
    .description('Number of pages; each takes one second.'),
});
const report = Joi.object<Report>({
  title: Joi.string().required(),
  pages: Joi.array().items(Joi.string()).required(),
});

export default defineContract({
  name: 'reports',
  info: { title: 'Reports', version: '1.0.0', description: 'Reports that take a while.' },
  events: {
    'reports.make': {
      method: 'POST',
      path: '/reports',
      summary: 'Make a report',
      tags: ['reports'],
      data: options,
      replies: { 200: report },
      // A report can be made twice, and so it survives the loss of its worker.
      idempotent: true,
      async: true,
      asyncTimeout: 600_000,
      timeout: 30_000,
    },
  },
});
