/** A peer that has presented a CURVE key. */
import type { PeerPermissions } from './permissions.ts';

/** The peer behind a routing id. */
export class AuthenticatedPeer {
  /** Its current permissions. */
  permissions: PeerPermissions;
  /** Its key was removed from the allow list. */
  revoked = false;
  /** Its messages are no longer read. */
  cut = false;

  constructor(
    readonly identity: Buffer,
    readonly publicKey: string,
    permissions: PeerPermissions,
  ) {
    this.permissions = permissions;
  }
}
