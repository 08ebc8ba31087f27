import { randomBytes } from "node:crypto";
import { type Etcd3, EtcdLeaseInvalidError, GRPCFailedPreconditionError } from "etcd3";
import { LEASE_MS } from "../registry.ts";

/** The id of a lease that is yet to be granted. We choose it, so that who asks twice is granted one lease. */
export function newLease(): string {
  return String((randomBytes(8).readBigUInt64BE() >> 1n) | 1n);
}

/** Grants the lease, or renews it if an earlier try of ours has granted it. */
export async function grantLease(etcd: Etcd3, lease: string, deadline: Date): Promise<void> {
  try {
    await etcd.leaseClient.leaseGrant({ ID: lease, TTL: LEASE_MS / 1_000 }, { deadline });
  } catch (error) {
    if (!(error instanceof GRPCFailedPreconditionError)) throw error; // "lease already exists"
    if (!(await keepLeaseAlive(etcd, lease, deadline))) throw error;
  }
}

/**
 * Resolves to whether the lease lives, with its full time again. On a stream for itself: the package's own keepalives go
 * on pending when a stream ends without an answer, and give up a lease only after twice its time.
 */
export async function keepLeaseAlive(etcd: Etcd3, lease: string, deadline: Date): Promise<boolean> {
  const stream = await etcd.leaseClient.leaseKeepAlive({ deadline });
  return new Promise((resolve, reject) => {
    stream.on("data", ({ TTL }) => {
      resolve(Number(TTL) > 0);
      stream.end();
    });
    stream.on("error", reject);
    stream.on("end", () => reject(new Error("etcd ended the stream of a keepalive without an answer")));
    stream.write({ ID: lease });
  });
}

/** Does nothing if the lease is gone. */
export async function revokeLease(etcd: Etcd3, lease: string, deadline: Date): Promise<void> {
  try {
    await etcd.leaseClient.leaseRevoke({ ID: lease }, { deadline });
  } catch (error) {
    if (!(error instanceof EtcdLeaseInvalidError)) throw error;
  }
}
