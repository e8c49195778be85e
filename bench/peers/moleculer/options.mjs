/**
 * Broker options of both Moleculer peers: logging at warn, the rest as Moleculer's defaults (so no deadline).
 * PEER_TRANSPORTER is `tcp`, with the static list of nodes in PEER_NODES, or the URL of a NATS server.
 */

/** Options of the node `nodeId`. */
export function brokerOptions(nodeId) {
  const { PEER_TRANSPORTER: kind, PEER_NODES: nodes } = process.env;
  const transporter =
    kind === 'tcp' ? { type: 'TCP', options: { udpDiscovery: false, urls: nodes.split(',') } } : kind;
  return { nodeID: nodeId, transporter, logLevel: 'warn' };
}
