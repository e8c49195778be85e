import { type Context, Errors, type ServiceSchema } from 'moleculer';

export interface Owner {
  id: string;
  name: string;
}

const names = new Map([['ada', 'Ada Lovelace']]);

const service: ServiceSchema = {
  name: 'owners',
  actions: {
    get: {
      params: { id: { type: 'string' } },
      handler(ctx: Context<{ id: string }>): Owner {
        const name = names.get(ctx.params.id);
        if (name === undefined) {
          throw new Errors.MoleculerClientError(`no owner is called ${ctx.params.id}`, 404, 'UNKNOWN_OWNER');
        }
        return { id: ctx.params.id, name };
      },
    },
  },
};

export default service;
