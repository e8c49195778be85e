/** Types of setting values: each has a Joi schema and a description of the allowed values. */
import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import type Joi from 'joi';
import { lazyPackage } from '../../core/identity/lazy-package.ts';
import { toConnection } from '../../transport/addressing/connection.ts';
import { DnsTarget, toTarget } from '../../transport/addressing/targets.ts';

const joi = lazyPackage<typeof Joi>('joi');

/** The values that a setting accepts. */
export interface ValueType<T> {
  /** Placeholder of the value in `--help`; undefined if the flag takes no value. */
  readonly placeholder: string | undefined;
  /** Completes the sentence "allowed: …". */
  readonly allowed: string;
  /** Creates the schema of a value. `--help` does not call it, so that it does not load Joi. */
  readonly schema: () => Joi.Schema;
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
export function checked(check: (value: string) => void): () => Joi.Schema {
  return () =>
    joi()
      .string()
      .custom((value: string) => {
        check(value);
        return value;
      });
}

export function wholeNumber(min: number, max: number, placeholder = 'N'): ValueType<number> {
  return {
    placeholder,
    allowed: `a whole number from ${min} to ${max}`,
    schema: () => joi().number().integer().min(min).max(max),
  };
}

export const port: ValueType<number> = wholeNumber(0, 65_535, 'PORT');

/** Maximum delay of a Node.js timer, in milliseconds. */
const MAX_TIMER_DELAY = 2_147_483_647;

const duration = (min: number): ValueType<number> => ({
  placeholder: 'MS',
  allowed: `milliseconds, a whole number from ${min} to ${MAX_TIMER_DELAY}`,
  schema: () => joi().number().integer().min(min).max(MAX_TIMER_DELAY),
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
  schema: () =>
    joi().alternatives(
      joi().number().integer().min(100).max(MAX_TIMER_DELAY),
      joi()
        .any()
        .custom((value: unknown, { error }) =>
          value === 'off' || value === false ? Infinity : error('any.invalid'),
        ),
    ),
};

export const booleanFlag: ValueType<boolean> = {
  placeholder: undefined,
  allowed: 'true or false',
  schema: () => joi().boolean(),
};

export const host: ValueType<string> = {
  placeholder: 'HOST',
  allowed: 'a host name or an IP address',
  schema: checked((value) => {
    if (isIP(value) === 0 && joi().string().hostname().validate(value).error) throw new Error('not a host');
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
  schema: () =>
    joi()
      .any()
      .custom((value: unknown) => (value === 'off' || value === false ? false : parseAddress(value))),
};

/**
 * URL of a store of requests. The gateway checks it, and never prints it, because it may contain a
 * password.
 */
export const storeOrOff: ValueType<string | false> = {
  placeholder: 'URL',
  allowed: 'sqlite:FILE, postgres://USER:PASSWORD@HOST:PORT/DATABASE, or off',
  schema: () =>
    joi()
      .any()
      .custom((value: unknown) => (value === 'off' || value === false ? false : String(value))),
  isPath: true,
  isLiteral: (value) => !/^sqlite:[^/]/i.test(value),
  resolvePath: (text, folder) => `sqlite:${path.resolve(folder, text.slice('sqlite:'.length))}`,
};

function parseAddress(value: unknown): Address {
  const [, v6, name, digits] = /^(?:\[([\da-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(String(value)) ?? [];
  const address = { host: v6 ?? name ?? '', port: Number(digits) };
  const error = host.schema().validate(address.host).error ?? port.schema().validate(address.port).error;
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

/** What `health` asks: an HTTP address, or the endpoint of a router or server. */
export const healthTarget: ValueType<string> = {
  placeholder: 'URL',
  allowed: 'http://HOST:PORT, https://HOST:PORT, tcp://HOST:PORT or ipc://PATH',
  schema: checked((value) => {
    if (/^https?:\/\//.test(value)) void new URL(value);
    else toConnection(value).getConnectionString(false);
  }),
};

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
  schema: () =>
    joi()
      .string()
      .custom((value: string) => {
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

/** Path of a file that need not exist. */
export const filePath: ValueType<string> = {
  placeholder: 'FILE',
  allowed: 'the path of a file',
  schema: () => joi().string(),
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

/** Returns the value as a schema converts it. */
export function attempt(schema: Joi.Schema, value: unknown): unknown {
  const result = schema.validate(value);
  if (result.error !== undefined) throw result.error;
  return result.value as unknown;
}

/** A folder, or false for none. */
export const folderOrOff: ValueType<string | false> = {
  placeholder: 'DIR',
  allowed: `${folder.allowed}, or off`,
  schema: () =>
    joi()
      .any()
      .custom((value: unknown) =>
        value === 'off' || value === false ? false : attempt(folder.schema(), value),
      ),
  isPath: true,
  isLiteral: (value) => value === 'off',
};

/** A program, by its path or by a name in PATH, or false for none. */
export const programOrOff: ValueType<string | false> = {
  placeholder: 'PROGRAM',
  allowed: 'a path, or the name of a program in PATH, or off',
  schema: () =>
    joi()
      .any()
      .custom((value: unknown) =>
        value === 'off' || value === false ? false : attempt(joi().string(), value),
      ),
};

/** Path of a folder that need not exist. */
export const folderPath: ValueType<string> = {
  placeholder: 'DIR',
  allowed: 'the path of a folder',
  schema: () => joi().string(),
  isPath: true,
};

export function choice<const T extends string>(placeholder: string, ...values: readonly T[]): ValueType<T> {
  const schema = (): Joi.Schema =>
    joi()
      .string()
      .valid(...values);
  return { placeholder, allowed: values.join(', '), schema, choices: values };
}

export const text: ValueType<string> = {
  placeholder: 'TEXT',
  allowed: 'a non-empty text',
  schema: () => joi().string(),
};

/** NODE_ID=EVENT */
const BINDING = /^([^=]+)=([^$].*)$/s;

/** Events by node id: as pairs, or in a configuration file as lists by node id. */
export const eventsByNode: ValueType<Readonly<Record<string, readonly string[]>>> = {
  placeholder: 'NODE_ID=EVENT',
  allowed:
    'one or more, each NODE_ID=EVENT, with * for every other worker; or in a configuration file lists of events by node id',
  schema: () =>
    joi().alternatives(
      joi()
        .object()
        .pattern(joi().string(), joi().array().items(joi().string().pattern(/^[^$]/)).min(1)),
      joi().array().items(joi().string().pattern(BINDING)).min(1).single().custom(groupByNode),
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
  const { placeholder, isPath, isLiteral, resolvePath: rebase, choices } = kind;
  return {
    placeholder,
    isPath,
    isLiteral,
    resolvePath: rebase,
    choices,
    allowed: `one or more, each ${kind.allowed}`,
    schema: () => joi().array().items(kind.schema()).min(1).single(),
    isList: true,
  };
}
