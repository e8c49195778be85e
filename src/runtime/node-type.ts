/** Kinds of nodes, with the names of the Python original. */
export const ZeroMQNodeType = {
  CLIENT: 'client',
  ROUTER: 'router',
  SERVER: 'server',
  WORKER: 'worker',
} as const;
export type ZeroMQNodeType = (typeof ZeroMQNodeType)[keyof typeof ZeroMQNodeType];
