/** Plans the requests of one operation: valid ones, those at bounds, and invalid ones. */
import type {
  BodyBinding,
  Operation,
  ParameterBinding,
  SampleOptions,
  Samples,
} from '../../openapi/index.ts';
import { type Body, isJson, writeBody } from './bodies.ts';
import { type Case, type CaseKind, caseOf } from './case.ts';
import { type Scalar, type Target, type Value, writeParameter } from './serialise.ts';

/** How many requests with random values follow the planned ones. */
const RANDOM_CASES = 5;

/** Maximum number of variants of one parameter or body, of each kind. */
const VARIANTS = 40;

/** Attempts to find a value that can be written: a segment of a path must not be empty. */
const ATTEMPTS = 5;

type Extent = 'minimal' | 'full' | 'random';

/** The values of one request. */
interface Values {
  readonly parameters: ReadonlyMap<ParameterBinding, Value>;
  readonly body: { readonly binding: BodyBinding; readonly value: Value } | undefined;
}

/** The requests of one operation. */
export class OperationPlan {
  /** Why there are no requests, or not all; empty if there are. */
  readonly gaps: string[] = [];

  constructor(
    readonly operation: Operation,
    private readonly samples: Samples,
  ) {}

  /** Yields the requests: for each kind in turn, so that a limit cuts all kinds alike. */
  *cases(): Generator<Case> {
    const { operation } = this;
    if (!this.isSendable()) return;
    const minimal = this.values(
      'minimal',
      'minimal',
      operation.bodies.find(({ mediaType }) => isJson(mediaType)),
    );
    const full = this.values(
      'full',
      'full',
      operation.bodies.find(({ mediaType }) => isJson(mediaType)),
    );
    const base = full ?? minimal;
    if (base === undefined) return;
    const rest = [this.boundaries(base), this.invalid(base), this.random()];
    if (minimal !== undefined) yield* this.write('valid', 'only what is required', minimal);
    if (full !== undefined) yield* this.write('valid', 'all parameters and members', full);
    yield* this.mediaTypes();
    for (let done = 0; done < rest.length; ) {
      done = 0;
      for (const cases of rest) {
        const next = cases.next();
        if (next.done === true) done += 1;
        else yield next.value;
      }
    }
  }

  private isSendable(): boolean {
    const { method, bodyRequired } = this.operation;
    if (method === 'trace') this.gaps.push('fetch sends no TRACE requests');
    else if (bodyRequired && !this.takesBody)
      this.gaps.push(`fetch sends no body with ${method.toUpperCase()}`);
    return this.gaps.length === 0;
  }

  /** Whether `fetch` sends a body with this method. */
  private get takesBody(): boolean {
    return !['get', 'head'].includes(this.operation.method) && this.operation.bodies.length > 0;
  }

  /** Makes the values of a request; undefined if one that is required cannot be made. */
  private values(extent: Extent, label: string, preferred: BodyBinding | undefined): Values | undefined {
    const parameters = new Map<ParameterBinding, Value>();
    for (const parameter of this.operation.parameters) {
      if (!parameter.required && extent === 'minimal') continue;
      const value = this.parameterValue(parameter, extent, label);
      if (value !== undefined) parameters.set(parameter, value);
      else if (parameter.required) {
        this.gap(`no value was found for the ${parameter.in} parameter ${parameter.name}`);
        return undefined;
      }
    }
    const binding = preferred ?? this.operation.bodies[0];
    const wantsBody = this.takesBody && (this.operation.bodyRequired || extent !== 'minimal');
    if (!wantsBody || binding === undefined) return { parameters, body: undefined };
    const value = this.sample(binding.pointer, extent, label, { direction: 'request' });
    if (value !== undefined && writeBody(binding, value) !== undefined) {
      return { parameters, body: { binding, value } };
    }
    this.gap(`no value was found for the body (${binding.mediaType})`);
    return this.operation.bodyRequired ? undefined : { parameters, body: undefined };
  }

  private gap(reason: string): void {
    if (!this.gaps.includes(reason)) this.gaps.push(reason);
  }

  private parameterValue(parameter: ParameterBinding, extent: Extent, label: string): Value | undefined {
    const characters = parameter.in === 'header' || parameter.in === 'cookie' ? 'ascii' : 'any';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const tried = attempt === 0 ? extent : 'random';
      const value = this.sample(parameter.pointer, tried, `${label} ${attempt}`, { characters });
      if (value !== undefined && isWritable(parameter, value)) return value;
    }
    return undefined;
  }

  private sample(pointer: string, extent: Extent, label: string, options: SampleOptions): Value | undefined {
    const { method, path } = this.operation;
    return this.samples.valid(pointer, extent, `${method} ${path} ${label}`, options) as Value | undefined;
  }

  /** Each media type of the body besides the first one. */
  private *mediaTypes(): Generator<Case> {
    const json = this.operation.bodies.find(({ mediaType }) => isJson(mediaType)) ?? this.operation.bodies[0];
    for (const binding of this.takesBody ? this.operation.bodies : []) {
      if (binding === json) continue;
      const values = this.values('full', `full ${binding.mediaType}`, binding);
      if (values !== undefined) yield* this.write('valid', `a body of ${binding.mediaType}`, values);
    }
  }

  private *random(): Generator<Case> {
    const { bodies } = this.operation;
    for (let index = 1; index <= RANDOM_CASES; index += 1) {
      const values = this.values(
        'random',
        `random ${index}`,
        bodies.find(({ mediaType }) => isJson(mediaType)),
      );
      if (values !== undefined) yield* this.write('valid', `random values ${index}`, values);
    }
  }

  private *boundaries(base: Values): Generator<Case> {
    for (const [parameter, value] of base.parameters) {
      for (const variant of this.samples.variants(parameter.pointer, value as never, 'valid', VARIANTS)) {
        if (!isWritable(parameter, variant.value as Value)) continue;
        yield* this.write('boundary', `${nameOf(parameter)}: ${variant.what}`, {
          ...base,
          parameters: new Map([...base.parameters, [parameter, variant.value as Value]]),
        });
      }
    }
    const { body } = base;
    if (body === undefined) return;
    const { pointer } = body.binding;
    for (const variant of this.samples.variants(pointer, body.value as never, 'valid', VARIANTS, 'request')) {
      const changed = { ...body, value: variant.value as Value };
      yield* this.write('boundary', `the body: ${variant.what}`, { ...base, body: changed });
    }
  }

  private *invalid(base: Values): Generator<Case> {
    for (const [parameter, value] of base.parameters) {
      if (parameter.required && parameter.in !== 'path') {
        const parameters = new Map([...base.parameters].filter(([other]) => other !== parameter));
        yield* this.write('invalid', `without ${nameOf(parameter)}`, { ...base, parameters });
      }
      for (const variant of this.samples.variants(parameter.pointer, value as never, 'invalid', VARIANTS)) {
        const other = variant.value as Value;
        if (!isWritable(parameter, other) || this.isAmbiguous(parameter, other)) continue;
        yield* this.write('invalid', `${nameOf(parameter)}: ${variant.what}`, {
          ...base,
          parameters: new Map([...base.parameters, [parameter, other]]),
        });
      }
    }
    if (this.takesBody) yield* this.invalidBodies(base);
  }

  private *invalidBodies(base: Values): Generator<Case> {
    const { operation } = this;
    if (operation.bodyRequired) yield* this.write('invalid', 'without a body', { ...base, body: undefined });
    const { body } = base;
    if (body === undefined || !isJson(body.binding.mediaType)) return;
    const contentType = body.binding.mediaType;
    const broken = (what: string, sent: Body): Generator<Case> => this.write('invalid', what, base, sent);
    yield* broken('a body that is not JSON', { contentType, text: '{"broken' });
    if (!operation.bodies.some(({ mediaType }) => /^(\*\/\*|text\/\*|text\/css)/.test(mediaType))) {
      yield* broken('a body of another media type', { contentType: 'text/css', text: 'a {}' });
    }
    const { pointer } = body.binding;
    for (const variant of this.samples.variants(
      pointer,
      body.value as never,
      'invalid',
      VARIANTS,
      'request',
    )) {
      const changed = { ...body, value: variant.value as Value };
      yield* this.write('invalid', `the body: ${variant.what}`, { ...base, body: changed });
    }
  }

  /** Whether the text of a value could also be read as a value that the document accepts. */
  private isAmbiguous({ pointer, contentType, in: location }: ParameterBinding, value: Value): boolean {
    if (contentType !== undefined) return false;
    if (typeof value === 'object' && !Array.isArray(value)) return true;
    const validate = this.samples.validator(pointer);
    const items = (Array.isArray(value) ? value : [value]) as readonly Scalar[];
    const readings = items.map((item) => readingsOf(String(item)));
    const uniform = [0, 1, 2].map((index) =>
      readings.map((all) => all[Math.min(index, all.length - 1)] ?? null),
    );
    const candidates: Value[] = [...uniform, ...(items.length === 1 ? (readings[0] ?? []) : [])];
    if (items.length > 1) candidates.push(items.join(','));
    // Servers may trim what they read from a header.
    if (location === 'header') candidates.push(String(value).trim());
    return candidates.some((candidate) => validate(candidate));
  }

  private *write(kind: CaseKind, what: string, values: Values, sent?: Body): Generator<Case> {
    const { operation } = this;
    const target: Target = { path: operation.path, query: [], headers: {}, cookies: [] };
    for (const [parameter, value] of values.parameters) writeParameter(target, parameter, value);
    const { body } = values;
    const written = sent ?? (body && writeBody(body.binding, body.value));
    if (sent === undefined && body !== undefined && written === undefined) return;
    const found = caseOf(operation, kind, what, target, written);
    if (found !== undefined) yield found;
  }
}

/** The values that a text may stand for: the text itself, a number, true, false or null. */
function readingsOf(text: string): Value[] {
  const readings: Value[] = [text];
  if (text.trim() !== '' && Number.isFinite(Number(text))) readings.push(Number(text));
  if (['true', 'false', 'null'].includes(text)) readings.push(JSON.parse(text) as Value);
  return readings;
}

function nameOf({ in: location, name }: ParameterBinding): string {
  return `the ${location} parameter ${name}`;
}

/** Whether a parameter can have a value. An empty text looks like a missing parameter. */
function isWritable(parameter: ParameterBinding, value: Value): boolean {
  const target: Target = { path: `{${parameter.name}}`, query: [], headers: {}, cookies: [] };
  return value !== '' && writeParameter(target, parameter, value);
}
