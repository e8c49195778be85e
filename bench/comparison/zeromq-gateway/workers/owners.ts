import { defineContract, defineWorker, Joi, ReplyError } from 'zeromq-gateway';

export interface Owner {
  id: string;
  name: string;
}

export const owners = defineContract({
  name: 'owners',
  events: {
    'owners.get': {
      data: Joi.object<{ id: string }>({ id: Joi.string().required() }),
      replies: { 200: Joi.object<Owner>(), 404: 'Unknown owner' },
    },
  },
});

const names = new Map([['ada', 'Ada Lovelace']]);

export default defineWorker({
  contract: owners,
  handlers: {
    'owners.get': ({ id }) => {
      const name = names.get(id);
      if (name === undefined) throw new ReplyError(404, 'UNKNOWN_OWNER', `no owner is called ${id}`);
      return { id, name };
    },
  },
});
