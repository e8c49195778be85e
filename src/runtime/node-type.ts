/** Kinds of nodes, as the original names them. */
export const ZeroMQNodeType = {
  CLIENT: 'client',
  ROUTER: 'router',
  SERVER: 'server',
  WORKER: 'worker',
} as const;
export type ZeroMQNodeType = (typeof ZeroMQNodeType)[keyof typeof ZeroMQNodeType];
