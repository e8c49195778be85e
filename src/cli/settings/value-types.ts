/** Kinds of values that settings have: a Joi schema each, and in words what is allowed. */
import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import Joi from 'joi';
import { parseExact } from '../../core/json/exact-json.ts';
import { jsonText } from '../../core/json/json-value.ts';
import { toConnection } from '../../transport/addressing/connection.ts';
import { DnsTarget, toTarget } from '../../transport/addressing/targets.ts';
import { isKey } from '../../transport/curve/keys.ts';

/** What values a setting takes. */
export interface ValueType<T> {
  /** Stands for the value in `--help`; undefined: the flag takes none. */
  readonly placeholder: string | undefined;
  /** Completes the sentence "allowed: …". */
  readonly allowed: string;
  readonly schema: Joi.Schema;
  /** Never there; it carries the type of the checked value. */
  readonly value?: T;
  /** A path, read from the folder of whoever names it: the working folder, or that of the configuration file. */
  readonly isPath?: boolean;
  /** With `isPath`: tells values that are none. */
  readonly isNoPath?: (value: string) => boolean;
  /** With `isPath`: reads the path in a text that is more than a path from that folder. */
  readonly rebase?: (text: string, folder: string) => string;
  /** The flag may be repeated; in the environment values are separated by commas. */
  readonly isList?: boolean;
  /** All values that there are, for completion in a shell. */
  readonly choices?: readonly string[];
}

/** A custom check; what it throws is left out, since `allowed` says it better. */
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

/** Longest time that a timer of Node.js takes, in ms. */
const LONGEST = 2_147_483_647;

const duration = (min: number): ValueType<number> => ({
  placeholder: 'MS',
  allowed: `milliseconds, a whole number from ${min} to ${LONGEST}`,
  schema: Joi.number().integer().min(min).max(LONGEST),
});

export const milliseconds = duration(1);

/** A duration of a client or of heartbeats: less than 50 ms is usually a number of seconds. */
export const timeoutMilliseconds: ValueType<number> = {
  ...duration(50),
  allowed: `milliseconds, a whole number from 50 to ${LONGEST} (5 seconds: 5000)`,
};

/** A duration that may be none. */
export const millisecondsOrNone = duration(0);

/** A time that a thread may stand still, or none: then it is `Infinity`. */
export const patience: ValueType<number> = {
  placeholder: 'MS',
  allowed: `milliseconds, a whole number from 100 to ${LONGEST}, or off`,
  schema: Joi.alternatives(
    Joi.number().integer().min(100).max(LONGEST),
    Joi.any().custom((value: unknown, { error }) =>
      value === 'off' || value === false ? Infinity : error('any.invalid'),
    ),
  ),
};

export const yesOrNo: ValueType<boolean> = {
  placeholder: undefined,
  allowed: 'true or false',
  schema: Joi.boolean(),
};

export const host: ValueType<string> = {
  placeholder: 'HOST',
  allowed: 'a host name or an IP address',
  schema: checked((value) => {
    if (isIP(value) === 0 && Joi.string().hostname().validate(value).error) throw new Error('no host');
  }),
};

/** Where something listens beside the rest. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An address to listen on, or none. */
export const addressOrOff: ValueType<Address | false> = {
  placeholder: 'HOST:PORT',
  allowed: 'HOST:PORT (HOST a name or an IP address, IPv6 in brackets; PORT 0 for a free one), or off',
  schema: Joi.any().custom((value: unknown) =>
    value === 'off' || value === false ? false : toAddress(value),
  ),
};

function toAddress(value: unknown): Address {
  const [, v6, name, digits] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(String(value)) ?? [];
  const address = { host: v6 ?? name ?? '', port: Number(digits) };
  const fault = host.schema.validate(address.host).error ?? port.schema.validate(address.port).error;
  if (fault !== undefined) throw fault;
  return address;
}

function endpoint(bind: boolean): ValueType<string> {
  return {
    placeholder: 'URL',
    allowed: bind
      ? 'tcp://HOST:PORT (HOST * for every interface, PORT up to 65535, 0 for a free one) or ipc://PATH (at most 107 bytes)'
      : 'tcp://HOST:PORT, ipc://PATH, dns://NAME:PORT or dns://_SERVICE._tcp.NAME',
    schema: checked((value) => {
      if (value.startsWith('inproc:')) throw new Error('nobody else is in this process');
      const place = bind ? toConnection(value) : toTarget(value);
      if (!(place instanceof DnsTarget)) place.getConnectionString(bind);
    }),
  };
}

/** Where a node connects to. */
export const remote: ValueType<string> = endpoint(false);
/** Where a node listens. */
export const listener: ValueType<string> = endpoint(true);

export const file: ValueType<string> = {
  placeholder: 'FILE',
  allowed: 'a file that exists',
  schema: checked((value) => {
    if (!statSync(value).isFile()) throw new Error('no file');
  }),
  isPath: true,
};

/** An OpenAPI document, and what is put before its paths. */
export interface DocumentSpec {
  readonly file: string;
  /** Such as `/v1`; empty for none. */
  readonly prefix: string;
}

function isFile(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isFile() === true;
}

/** `FILE`, or `/PREFIX=FILE`; a file whose own name looks like the latter is one. */
function takeDocument(text: string, folder: string): DocumentSpec {
  const [, prefix = '', name = ''] = /^(\/[^=]*)=(.+)$/s.exec(text) ?? [];
  const whole = path.resolve(folder, text);
  return name === '' || isFile(whole)
    ? { file: whole, prefix: '' }
    : { file: path.resolve(folder, name), prefix };
}

export const document: ValueType<DocumentSpec> = {
  placeholder: '[/PREFIX=]FILE',
  allowed: 'a file that exists, /PREFIX= before it or not',
  schema: Joi.string().custom((value: string) => {
    const spec = takeDocument(value, '');
    if (!isFile(spec.file)) throw new Error('no file');
    return spec;
  }),
  isPath: true,
  rebase: (text, folder) => {
    const { file: name, prefix } = takeDocument(text, folder);
    return prefix === '' ? name : `${prefix}=${name}`;
  },
};

/** A public key, or a file that holds one. */
export const publicKey: ValueType<string> = {
  placeholder: 'KEY',
  allowed: 'a public key, 40 characters of Z85, or a file that exists',
  schema: checked((value) => {
    if (!isKey(value) && !statSync(value).isFile()) throw new Error('no key');
  }),
  isPath: true,
  isNoPath: isKey,
};

export const secretKey: ValueType<string> = {
  placeholder: 'KEY',
  allowed: 'a secret key, 40 characters of Z85',
  schema: checked((value) => {
    if (!isKey(value)) throw new Error('no key');
  }),
};

/** A file that may be made. */
export const fileToBe: ValueType<string> = {
  placeholder: 'FILE',
  allowed: 'the path of a file',
  schema: Joi.string(),
  isPath: true,
};

export const folder: ValueType<string> = {
  placeholder: 'DIR',
  allowed: 'a folder that exists',
  schema: checked((value) => {
    if (!statSync(value).isDirectory()) throw new Error('no folder');
  }),
  isPath: true,
};

/** A folder that may be made. */
export const folderToBe: ValueType<string> = {
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
  allowed: 'a text that is not empty',
  schema: Joi.string(),
};

/**
 * JSON text; the value is what it stands for, with exact numbers where a double would write them otherwise. A
 * configuration file may hold the value itself.
 */
export const json: ValueType<unknown> = {
  placeholder: 'JSON',
  allowed: `JSON, such as '{"id":1}'`,
  schema: Joi.any().custom((value: unknown) => {
    if (typeof value === 'string') return parseExact(value, 'spelling');
    // YAML has values that JSON does not have.
    jsonText(value);
    return value;
  }),
};

/** A node id and an event of it. */
const BINDING = /^([^=]+)=([^$].*)$/s;

/** Events by node id: pairs, or in a configuration file lists by node id. */
export const eventsByNode: ValueType<Readonly<Record<string, readonly string[]>>> = {
  placeholder: 'NODE_ID=EVENT',
  allowed:
    'one or more, each NODE_ID=EVENT, with * for every other worker; or in a configuration file lists of events by node id',
  schema: Joi.alternatives(
    Joi.object().pattern(Joi.string(), Joi.array().items(Joi.string().pattern(/^[^$]/)).min(1)),
    Joi.array().items(Joi.string().pattern(BINDING)).min(1).single().custom(gatherPairs),
  ),
  isList: true,
};

function gatherPairs(pairs: readonly string[]): Record<string, string[]> {
  const byNode = new Map<string, string[]>();
  for (const pair of pairs) {
    const [, node = '', event = ''] = BINDING.exec(pair) ?? [];
    byNode.set(node, [...(byNode.get(node) ?? []), event]);
  }
  return Object.fromEntries(byNode);
}

/** Several of a kind, at least one. */
export function list<T>(kind: ValueType<T>): ValueType<T[]> {
  const { placeholder, isPath, rebase, choices } = kind;
  return {
    placeholder,
    isPath,
    rebase,
    choices,
    allowed: `one or more, each ${kind.allowed}`,
    schema: Joi.array().items(kind.schema).min(1).single(),
    isList: true,
  };
}
