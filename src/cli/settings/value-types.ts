/** Types of setting values: each has a Joi schema and a description of the allowed values. */
import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import Joi from 'joi';
import { parseExact } from '../../core/json/exact-json.ts';
import { jsonText } from '../../core/json/json-value.ts';
import { toConnection } from '../../transport/addressing/connection.ts';
import { DnsTarget, toTarget } from '../../transport/addressing/targets.ts';
import { isKey } from '../../transport/curve/keys.ts';

/** The values that a setting accepts. */
export interface ValueType<T> {
  /** Placeholder of the value in `--help`; undefined if the flag takes no value. */
  readonly placeholder: string | undefined;
  /** Completes the sentence "allowed: …". */
  readonly allowed: string;
  readonly schema: Joi.Schema;
  /** Never set; carries the type of the validated value. */
  readonly value?: T;
  /**
   * The value is a path, relative to the folder of its source: the working folder, or the folder of
   * the configuration file.
   */
  readonly isPath?: boolean;
  /** With `isPath`: recognizes values that are not paths. */
  readonly isLiteral?: (value: string) => boolean;
  /** With `isPath`: resolves the path inside a value that contains more than a path. */
  readonly resolvePath?: (text: string, folder: string) => string;
  /** The flag may be repeated. The environment variable separates values by commas. */
  readonly isList?: boolean;
  /** All allowed values, for shell completion. */
  readonly choices?: readonly string[];
}

/**
 * Creates a schema from a custom check. Its error message is discarded, since `allowed` is shown
 * instead.
 */
function checked(check: (value: string) => void): Joi.Schema {
  return Joi.string().custom((value: string) => {
    check(value);
    return value;
  });
}

export function wholeNumber(min: number, max: number, placeholder = 'N'): ValueType<number> {
  return {
    placeholder,
    allowed: `a whole number from ${min} to ${max}`,
    schema: Joi.number().integer().min(min).max(max),
  };
}

export const port: ValueType<number> = wholeNumber(0, 65_535, 'PORT');

/** Maximum delay of a Node.js timer, in milliseconds. */
const MAX_TIMER_DELAY = 2_147_483_647;

const duration = (min: number): ValueType<number> => ({
  placeholder: 'MS',
  allowed: `milliseconds, a whole number from ${min} to ${MAX_TIMER_DELAY}`,
  schema: Joi.number().integer().min(min).max(MAX_TIMER_DELAY),
});

export const milliseconds = duration(1);

/**
 * A timeout or heartbeat duration. Values below 50 ms are rejected, because they are usually meant
 * as seconds.
 */
export const timeoutMilliseconds: ValueType<number> = {
  ...duration(50),
  allowed: `milliseconds, a whole number from 50 to ${MAX_TIMER_DELAY} (5 seconds: 5000)`,
};

/** A duration that may be 0. */
export const millisecondsOrNone = duration(0);

/** How long a thread may be unresponsive. `off` becomes `Infinity`. */
export const stallTimeout: ValueType<number> = {
  placeholder: 'MS',
  allowed: `milliseconds, a whole number from 100 to ${MAX_TIMER_DELAY}, or off`,
  schema: Joi.alternatives(
    Joi.number().integer().min(100).max(MAX_TIMER_DELAY),
    Joi.any().custom((value: unknown, { error }) =>
      value === 'off' || value === false ? Infinity : error('any.invalid'),
    ),
  ),
};

export const booleanFlag: ValueType<boolean> = {
  placeholder: undefined,
  allowed: 'true or false',
  schema: Joi.boolean(),
};

export const host: ValueType<string> = {
  placeholder: 'HOST',
  allowed: 'a host name or an IP address',
  schema: checked((value) => {
    if (isIP(value) === 0 && Joi.string().hostname().validate(value).error) throw new Error('not a host');
  }),
};

/** Host and port of an additional listener. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An address to listen on, or `off`. */
export const addressOrOff: ValueType<Address | false> = {
  placeholder: 'HOST:PORT',
  allowed: 'HOST:PORT (HOST a name or an IP address, IPv6 in brackets; PORT 0 for a free one), or off',
  schema: Joi.any().custom((value: unknown) =>
    value === 'off' || value === false ? false : parseAddress(value),
  ),
};

function parseAddress(value: unknown): Address {
  const [, v6, name, digits] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(String(value)) ?? [];
  const address = { host: v6 ?? name ?? '', port: Number(digits) };
  const error = host.schema.validate(address.host).error ?? port.schema.validate(address.port).error;
  if (error !== undefined) throw error;
  return address;
}

function endpoint(bind: boolean): ValueType<string> {
  return {
    placeholder: 'URL',
    allowed: bind
      ? 'tcp://HOST:PORT (HOST * for every interface, PORT up to 65535, 0 for a free one) or ipc://PATH (at most 107 bytes)'
      : 'tcp://HOST:PORT, ipc://PATH, dns://NAME:PORT or dns://_SERVICE._tcp.NAME',
    schema: checked((value) => {
      if (value.startsWith('inproc:')) throw new Error('inproc cannot cross processes');
      const target = bind ? toConnection(value) : toTarget(value);
      if (!(target instanceof DnsTarget)) target.getConnectionString(bind);
    }),
  };
}

/** An endpoint that a node connects to. */
export const connectEndpoint: ValueType<string> = endpoint(false);
/** An endpoint that a node listens on. */
export const listenEndpoint: ValueType<string> = endpoint(true);

export const file: ValueType<string> = {
  placeholder: 'FILE',
  allowed: 'a file that exists',
  schema: checked((value) => {
    if (!statSync(value).isFile()) throw new Error('not a file');
  }),
  isPath: true,
};

/** An OpenAPI document, and the prefix of its paths. */
export interface DocumentSpec {
  readonly file: string;
  /** Prefix such as `/v1`; empty for none. */
  readonly prefix: string;
}

function isFile(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Parses `FILE` or `/PREFIX=FILE`. If a file with the whole text as its name exists, it takes
 * precedence.
 */
function parseDocumentSpec(text: string, folder: string): DocumentSpec {
  const [, prefix = '', name = ''] = /^(\/[^=]*)=(.+)$/s.exec(text) ?? [];
  const whole = path.resolve(folder, text);
  return name === '' || isFile(whole)
    ? { file: whole, prefix: '' }
    : { file: path.resolve(folder, name), prefix };
}

export const document: ValueType<DocumentSpec> = {
  placeholder: '[/PREFIX=]FILE',
  allowed: 'a file that exists, optionally after /PREFIX=',
  schema: Joi.string().custom((value: string) => {
    const spec = parseDocumentSpec(value, '');
    if (!isFile(spec.file)) throw new Error('not a file');
    return spec;
  }),
  isPath: true,
  resolvePath: (text, folder) => {
    const { file: name, prefix } = parseDocumentSpec(text, folder);
    return prefix === '' ? name : `${prefix}=${name}`;
  },
};

/** A public key, or a file that contains one. */
export const publicKey: ValueType<string> = {
  placeholder: 'KEY',
  allowed: 'a public key, 40 characters of Z85, or a file that exists',
  schema: checked((value) => {
    if (!isKey(value) && !statSync(value).isFile()) throw new Error('not a key');
  }),
  isPath: true,
  isLiteral: isKey,
};

export const secretKey: ValueType<string> = {
  placeholder: 'KEY',
  allowed: 'a secret key, 40 characters of Z85',
  schema: checked((value) => {
    if (!isKey(value)) throw new Error('not a key');
  }),
};

/** Path of a file that need not exist. */
export const filePath: ValueType<string> = {
  placeholder: 'FILE',
  allowed: 'the path of a file',
  schema: Joi.string(),
  isPath: true,
};

export const folder: ValueType<string> = {
  placeholder: 'DIR',
  allowed: 'a folder that exists',
  schema: checked((value) => {
    if (!statSync(value).isDirectory()) throw new Error('not a folder');
  }),
  isPath: true,
};

/** Path of a folder that need not exist. */
export const folderPath: ValueType<string> = {
  placeholder: 'DIR',
  allowed: 'the path of a folder',
  schema: Joi.string(),
  isPath: true,
};

export function choice<const T extends string>(placeholder: string, ...values: readonly T[]): ValueType<T> {
  const schema = Joi.string().valid(...values);
  return { placeholder, allowed: values.join(', '), schema, choices: values };
}

export const text: ValueType<string> = {
  placeholder: 'TEXT',
  allowed: 'a non-empty text',
  schema: Joi.string(),
};

/**
 * JSON text, parsed. Numbers that a double would change are kept exactly. A configuration file may
 * contain the value itself.
 */
export const json: ValueType<unknown> = {
  placeholder: 'JSON',
  allowed: `JSON, such as '{"id":1}'`,
  schema: Joi.any().custom((value: unknown) => {
    if (typeof value === 'string') return parseExact(value, 'spelling');
    // YAML has values that JSON cannot represent; `jsonText` throws on them.
    jsonText(value);
    return value;
  }),
};

/** NODE_ID=EVENT */
const BINDING = /^([^=]+)=([^$].*)$/s;

/** Events by node id: as pairs, or in a configuration file as lists by node id. */
export const eventsByNode: ValueType<Readonly<Record<string, readonly string[]>>> = {
  placeholder: 'NODE_ID=EVENT',
  allowed:
    'one or more, each NODE_ID=EVENT, with * for every other worker; or in a configuration file lists of events by node id',
  schema: Joi.alternatives(
    Joi.object().pattern(Joi.string(), Joi.array().items(Joi.string().pattern(/^[^$]/)).min(1)),
    Joi.array().items(Joi.string().pattern(BINDING)).min(1).single().custom(groupByNode),
  ),
  isList: true,
};

function groupByNode(pairs: readonly string[]): Record<string, string[]> {
  const byNode = new Map<string, string[]>();
  for (const pair of pairs) {
    const [, node = '', event = ''] = BINDING.exec(pair) ?? [];
    byNode.set(node, [...(byNode.get(node) ?? []), event]);
  }
  return Object.fromEntries(byNode);
}

/** A list of values with at least one item. */
export function list<T>(kind: ValueType<T>): ValueType<T[]> {
  const { placeholder, isPath, resolvePath: rebase, choices } = kind;
  return {
    placeholder,
    isPath,
    resolvePath: rebase,
    choices,
    allowed: `one or more, each ${kind.allowed}`,
    schema: Joi.array().items(kind.schema).min(1).single(),
    isList: true,
  };
}
