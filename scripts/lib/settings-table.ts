/** Converts Joi's description of settings into table rows: name, allowed values, default, meaning. */

/** The parts of Joi's `describe()` that the schemas of settings use. */
export interface Described {
  readonly type?: string;
  readonly flags?: {
    readonly default?: unknown;
    readonly description?: string;
    readonly presence?: string;
    readonly only?: boolean;
    readonly unit?: string;
  };
  readonly allow?: readonly unknown[];
  readonly rules?: readonly { readonly name: string; readonly args?: Readonly<Record<string, unknown>> }[];
  readonly items?: readonly Described[];
  readonly keys?: Readonly<Record<string, Described>>;
  readonly patterns?: readonly { readonly rule: Described }[];
  readonly matches?: readonly Match[];
  readonly dependencies?: readonly { readonly rel: string; readonly peers: readonly string[] }[];
}

interface Match {
  readonly schema?: Described;
  readonly switch?: readonly { readonly then?: Described }[];
}

/** A setting. */
export interface SettingRow {
  /** Dotted path. `[]` stands for an item of a list, NAME for a name that the user chooses. */
  readonly name: string;
  readonly allowed: string;
  readonly byDefault: string;
  readonly meaning: string;
}

/** Returns the rows of an object's settings, followed by those of nested objects. */
export function settingRows(described: Described, prefix = ''): SettingRow[] {
  return Object.entries(described.keys ?? {}).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    const below = nested(schema, name);
    const own = row(name, schema);
    return schema.type === 'object' && own.meaning === '' ? below : [own, ...below];
  });
}

/**
 * Returns the rows of settings nested in another one. The rows of alternatives are listed one after
 * the other.
 */
function nested(schema: Described, name: string): SettingRow[] {
  return [
    ...settingRows(schema, `${name}.`),
    ...(schema.items ?? []).flatMap((item) => nested(item, `${name}[]`)),
    ...(schema.patterns ?? []).flatMap(({ rule }) => nested(rule, `${name}.NAME`)),
    ...choices(schema).flatMap((choice) => nested(choice, name)),
  ];
}

function choices({ matches = [] }: Described): Described[] {
  return matches.flatMap(({ schema, switch: cases = [] }) =>
    schema === undefined ? cases.flatMap(({ then }) => then ?? []) : [schema],
  );
}

function row(name: string, schema: Described): SettingRow {
  const { flags = {} } = schema;
  const required = flags.presence === 'required';
  const kind = schema.allow?.length === 1 && required && schema.type === 'any';
  return {
    name,
    allowed: allowed(schema),
    byDefault: required ? 'required' : defaultOf(flags.default),
    meaning: flags.description ?? (kind ? 'type of the scheme' : ''),
  };
}

function defaultOf(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && value !== null && 'special' in value)) return '';
  return typeof value === 'function' ? 'see below' : code(value);
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

/** Describes the values that a setting allows. */
function allowed(schema: Described): string {
  const { type = 'any', flags = {}, allow = [], items = [] } = schema;
  if (flags.only === true) return allow.map(code).join(', ');
  switch (type) {
    case 'alternatives':
      return [...new Set(choices(schema).map(allowed))].join(', or ');
    case 'boolean':
      return '`true`, `false`';
    case 'number':
      return numbers(schema);
    case 'string':
      return texts(schema);
    case 'array': {
      const least = limit(schema, 'min') === undefined ? 'list of ' : 'non-empty list of ';
      return `${least}${[...new Set(items.map(allowed))].join(' or ')}`;
    }
    default:
      return ['object', ...(schema.dependencies ?? []).map(dependency)].join(', ');
  }
}

function dependency({ rel, peers }: { rel: string; peers: readonly string[] }): string {
  const names = peers.map((peer) => `\`${peer}\``).join(', ');
  return `${rel === 'xor' ? 'exactly' : 'at least'} one of ${names}`;
}

function numbers(schema: Described): string {
  if (has(schema, 'port')) return 'whole number, 0 to 65535';
  const [min, max] = [limit(schema, 'min'), limit(schema, 'max')];
  const range = max === undefined ? `, at least ${min}` : `, ${min} to ${max}`;
  const unit = schema.flags?.unit;
  return `${has(schema, 'integer') ? 'whole number' : 'number'}${unit === undefined ? '' : ` of ${unit}`}${range}`;
}

function texts(schema: Described): string {
  const pattern = rule(schema, 'pattern')?.['options'] as { name?: string } | undefined;
  if (pattern?.name !== undefined) return pattern.name.replace(/^an? /, '');
  if (has(schema, 'hex')) return `${limit(schema, 'length')} hex digits`;
  if (has(schema, 'hostname')) return 'host name or IP address';
  if (has(schema, 'uri')) {
    const uri = rule(schema, 'uri')?.['options'] as
      | { scheme?: string[]; allowRelative?: boolean }
      | undefined;
    const schemes = uri?.scheme?.map((scheme) => `\`${scheme}:\``).join(' or ');
    const kind = schemes === undefined ? 'URI' : `${schemes} URL`;
    return uri?.allowRelative === true ? `${kind}, or a path` : kind;
  }
  const least = limit(schema, 'min');
  return least === undefined ? 'text' : `text, at least ${least} characters`;
}

function rule(schema: Described, name: string): Readonly<Record<string, unknown>> | undefined {
  const found = schema.rules?.find((one) => one.name === name);
  return found === undefined ? undefined : (found.args ?? {});
}

function has(schema: Described, name: string): boolean {
  return rule(schema, name) !== undefined;
}

function limit(schema: Described, name: string): string | undefined {
  const value = rule(schema, name)?.['limit'];
  return typeof value === 'number' ? String(value) : undefined;
}
