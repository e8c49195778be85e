/** Values that code can throw and that break code that reads them. */

const planted = (): never => {
  throw new Error('planted');
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function withGetter(name: string): Error {
  return Object.defineProperty(new Error('an error'), name, { get: planted, enumerable: true });
}

const trapped = new Proxy(new Error('behind a proxy'), {
  get: planted,
  has: planted,
  getPrototypeOf: planted,
  ownKeys: planted,
});

export const HOSTILE_VALUES: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  'a symbol': Symbol('thrown'),
  'a big integer': 1n,
  'a function': planted,
  'an object without a prototype': Object.create(null),
  'an object whose toString throws': { toString: planted, [Symbol.toPrimitive]: planted },
  'an object whose toJSON throws': { toJSON: planted },
  'an error whose toJSON throws': Object.assign(new Error('an error'), { toJSON: planted }),
  'an error whose message is not text': Object.assign(new Error('an error'), { message: Symbol('m') }),
  'a frozen error': Object.freeze(new Error('frozen')),
  'an error whose cause is hostile': new Error('an error', { cause: revoked() }),
  'a revoked proxy': revoked(),
  'a proxy whose traps throw': trapped,
  ...Object.fromEntries(
    ['message', 'name', 'stack', 'code', 'details', 'status', 'cause', 'constructor'].map((name) => [
      `an error whose ${name} getter throws`,
      withGetter(name),
    ]),
  ),
};
