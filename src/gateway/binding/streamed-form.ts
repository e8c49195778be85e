/** Reads multipart forms whose files are sent as streams: fields as event data, files part by part. */
import { escapeToken } from '../../contract/json.ts';
import type { RequestIssue } from '../common/problem.ts';
import type { Validate } from '../validation/validate.ts';
import { BodyError } from './json.ts';
import type { MultipartForm, MultipartValue, Part } from './multipart-form.ts';

/** The fields of a form that arrived before its first file. */
export class FormFields {
  constructor(readonly parts: readonly Part[]) {}
}

/** A part whose content has not arrived. */
export type PartHead = Omit<Part, 'content'>;

const REQUIRED = 'is required';
const UNKNOWN = 'is not a known property';

/** The rules of one form. */
export class StreamedForm {
  /** @param validate validates the form as the document describes it. */
  constructor(
    private readonly form: MultipartForm,
    private readonly validate: Validate,
  ) {}

  /** Whether a part is a file. */
  isFile(part: PartHead): boolean {
    return this.form.isFile(part);
  }

  /**
   * Reads the fields before the first file. Files may follow, so that none of them is missing.
   * @returns undefined if there are issues.
   */
  readFields({ parts }: FormFields, issues: RequestIssue[]): MultipartValue['described'] | undefined {
    const found: RequestIssue[] = [];
    const { described } = this.form.read(parts, found);
    if (found.length === 0) {
      this.validate(described, '/body', found);
      for (const issue of found) {
        if (issue.detail !== REQUIRED) issues.push(issue);
        else if (!this.form.expectsFile(nameIn(issue)))
          issues.push({ ...issue, detail: `${REQUIRED}, and must precede the first file` });
      }
    } else issues.push(...found);
    return issues.length === 0 ? described : undefined;
  }

  /**
   * What is wrong with a field after the first file.
   * @throws {BodyError} when the field is not UTF-8.
   */
  fieldIssues(part: Part): RequestIssue[] {
    const found: RequestIssue[] = [];
    const { described } = this.form.read([part], found);
    if (found.length > 0) return found;
    this.validate(described, '/body', found);
    const pointer = pointerTo(part.name);
    return found.filter((issue) => issue.pointer === pointer || issue.pointer.startsWith(`${pointer}/`));
  }

  /**
   * What is wrong with a file, before its content has arrived.
   * @param before how many files of the name precede it.
   */
  fileIssues(part: PartHead, before: number): RequestIssue[] {
    const pointer = pointerTo(part.name);
    if (before > 0 && !this.form.mayRepeat(part.name))
      return [{ pointer, detail: 'is given more than once' }];
    const issue = this.form.fileIssue(part);
    if (issue !== undefined) return [issue];
    return this.issuesOf({ [part.name]: '' }).filter(
      ({ pointer: at, detail }) => at === pointer && detail === UNKNOWN,
    );
  }

  /** The files that the form must have, without those that have arrived. */
  missingFiles(arrived: ReadonlySet<string>): RequestIssue[] {
    return this.issuesOf({}).filter((issue) => {
      const name = nameIn(issue);
      return issue.detail === REQUIRED && this.form.expectsFile(name) && !arrived.has(name);
    });
  }

  private issuesOf(value: object): RequestIssue[] {
    const issues: RequestIssue[] = [];
    this.validate(value, '/body', issues);
    return issues;
  }
}

/** Converts an error to the issue that it names. */
export function issueOf(error: unknown): RequestIssue {
  const detail = error instanceof BodyError ? error.message : 'is not a valid multipart form';
  return { pointer: '/body', detail };
}

function pointerTo(name: string): string {
  return `/body/${escapeToken(name)}`;
}

/** The name of the field that an issue is about. */
function nameIn({ pointer }: RequestIssue): string {
  const [, , token = ''] = pointer.split('/');
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
