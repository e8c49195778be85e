import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { DEFAULT_LIMITS, type RequestStore, type StoreLimits } from '../../src/store/model/store.ts';
import { openStore } from '../../src/store/open.ts';
import { POSTGRES_MISSING, startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { Scope } from '../helpers/scope.ts';
import { tempFolder } from '../helpers/temp.ts';
import { type StoreUnderTest, storeConformance } from './stores.ts';

/** Opens stores by URL, and remembers the URL for `reopen`. */
function byUrl(newUrl: (t: TestContext) => Promise<string>): StoreUnderTest {
  const opened = new WeakMap<RequestStore, { url: string; limits: Partial<StoreLimits> }>();
  const openAt = async (t: TestContext, url: string, limits: Partial<StoreLimits>): Promise<RequestStore> => {
    const store = await openStore(url, { limits });
    t.after(() => store.close());
    opened.set(store, { url, limits });
    return store;
  };
  return {
    open: async (t, limits = DEFAULT_LIMITS) => openAt(t, await newUrl(t), limits),
    reopen: async (t, store) => {
      await store.close();
      const { url, limits } = opened.get(store) as { url: string; limits: Partial<StoreLimits> };
      return openAt(t, url, limits);
    },
  };
}

storeConformance(
  'sqlite',
  byUrl((t) => Promise.resolve(`sqlite:${join(tempFolder(t), 'store.db')}`)),
);

const scope = new Scope();
let postgres: TestPostgres;
let url: string | undefined;

/** Returns the URL of an empty store. One database for all tests: creating one takes half a second. */
async function emptyPostgres(): Promise<string> {
  if (url === undefined) url = await postgres.createDatabase('conformance');
  else await postgres.clear(url);
  return url;
}

if (POSTGRES_MISSING === false) {
  before(async () => {
    postgres = await startPostgres(scope);
  });
  after(() => scope.close());
}

storeConformance('postgres', byUrl(emptyPostgres), { skip: POSTGRES_MISSING });
