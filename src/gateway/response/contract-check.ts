/** Checks replies of workers against the document. */
import type { ReplyMessage } from '../../core/messages/message.ts';
import { parseJson } from '../binding/json.ts';
import { isJsonType } from '../common/media-type.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Route } from '../routing/route.ts';

/** Finds an undocumented status, a body that is not JSON, and violations of the schema. */
export function validateReply(route: Route, reply: ReplyMessage, contentType: string): RequestIssue[] {
  const { status, body } = reply;
  const declared = route.statusMismatch(status);
  if (declared !== undefined) {
    const detail = `has the status ${status}, but the document declares ${declared.join(', ')}`;
    return [{ pointer: '/reply', detail }];
  }
  if (!isJsonType(contentType) || status === 204 || status === 304) return [];
  const validate = route.replyValidator(status, contentType);
  if (validate === undefined) return [];
  const issues: RequestIssue[] = [];
  try {
    const { value, exact } = parseJson(body, Infinity);
    validate(value, '/reply', issues, exact);
  } catch {
    issues.push({ pointer: '/reply', detail: 'is not JSON' });
  }
  return issues;
}
