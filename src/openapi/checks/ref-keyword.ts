/**
 * `$ref` for ajv, so that the time to judge a value is bounded by its size: components that one value may meet again
 * and again are asked about it once, and errors are appended, where ajv copies the whole list for each reference.
 */
import { _, type CodeKeywordDefinition, type ErrorObject, type KeywordCxt, Name, nil } from 'ajv';
import { resolveRef, SchemaEnv } from 'ajv/dist/compile/index.js';
import { mergeEvaluated } from 'ajv/dist/compile/util.js';
import { callValidateCode } from 'ajv/dist/vocabularies/code.js';
import { getValidate } from 'ajv/dist/vocabularies/core/ref.js';
import type { Verdicts } from './verdicts.ts';

/** What ajv calls the errors found so far, and their number. */
const vErrors = new Name('vErrors');
const errors = new Name('errors');

/**
 * @param own ajv's definition of the keyword.
 * @param repeated references whose verdicts are remembered.
 */
export function refKeyword(
  own: CodeKeywordDefinition,
  repeated: ReadonlySet<string>,
  verdicts: Verdicts,
): CodeKeywordDefinition {
  return {
    keyword: '$ref',
    schemaType: 'string',
    code(cxt) {
      const { gen, it } = cxt;
      const name = cxt.schema as string;
      const target = resolveRef.call(it.self, it.schemaEnv.root, it.baseId, name);
      if (!(target instanceof SchemaEnv) || name === '#') {
        own.code(cxt);
        return;
      }
      const judge = repeated.has(name)
        ? gen.scopeValue('validate', { ref: verdicts.remembering(target) })
        : getValidate(cxt, target);
      const judged = callValidateCode(cxt, judge, nil);
      cxt.result(
        judged,
        () => {
          evaluated(cxt, judge, target);
        },
        () => {
          const into = gen.scopeValue('func', { ref: append });
          gen.assign(vErrors, _`${into}(${vErrors}, ${judge}.errors)`);
          gen.assign(errors, _`${vErrors}.length`);
        },
      );
    },
  };
}

type Judged = Parameters<typeof callValidateCode>[1];

/**
 * Notes which members and items the target has judged, for `unevaluatedProperties` and `unevaluatedItems`. Where it
 * has judged none, ajv would go on with an undefined value and fail.
 */
function evaluated({ gen, it }: KeywordCxt, judge: Judged, target: SchemaEnv): void {
  const known = target.validate?.evaluated;
  if (it.props !== true) {
    if (known === undefined || known.dynamicProps) {
      const props = gen.var('props', _`${judge}.evaluated.props ?? {}`);
      it.props = mergeEvaluated.props(gen, props, it.props, Name);
    } else if (known.props !== undefined) it.props = mergeEvaluated.props(gen, known.props, it.props);
  }
  if (it.items !== true) {
    if (known === undefined || known.dynamicItems) {
      const items = gen.var('items', _`${judge}.evaluated.items ?? 0`);
      it.items = mergeEvaluated.items(gen, items, it.items, Name);
    } else if (known.items !== undefined) it.items = mergeEvaluated.items(gen, known.items, it.items);
  }
}

function append(all: ErrorObject[] | null, more: ErrorObject[]): ErrorObject[] {
  if (all === null) return more;
  for (const error of more) all.push(error);
  return all;
}
