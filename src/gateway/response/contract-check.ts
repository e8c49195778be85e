/** Checks replies of workers against the document. */
import type { ReplyMessage } from '../../core/messages/message.ts';
import { parseReply } from '../binding/json.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Route } from '../routing/route.ts';

/**
 * Finds an undocumented status, a body that is not JSON, and violations of the schema.
 * @param hasBody whether to check the body.
 */
export function validateReply(
  route: Route,
  reply: ReplyMessage,
  contentType: string,
  hasBody: boolean,
): RequestIssue[] {
  const { status, body } = reply;
  const { mismatch, validate } = route.replies.rule(status, contentType);
  if (mismatch !== undefined) {
    const detail = `has the status ${status}, but the document declares ${mismatch.join(', ')}`;
    return [{ pointer: '/reply', detail }];
  }
  if (validate === undefined || !hasBody) return [];
  const issues: RequestIssue[] = [];
  try {
    const { value, exact } = parseReply(body);
    validate(value, '/reply', issues, exact);
  } catch {
    issues.push({ pointer: '/reply', detail: 'is not JSON' });
  }
  return issues;
}
