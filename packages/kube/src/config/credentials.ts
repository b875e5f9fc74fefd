import { type Clock, systemClock } from '../clock.ts';
import type { ApiError } from '../errors.ts';

/** What is presented to the API server. */
export interface Credentials {
  /** PEM */
  readonly clientCert?: string;
  /** PEM */
  readonly clientKey?: string;
  readonly token?: string;
  readonly basic?: { readonly username: string; readonly password: string };
}

export interface CredentialGeneration {
  /** Grows with each change. The client makes new connections when it does and drains the old ones. */
  readonly generation: number;
  readonly credentials: Credentials;
}

export interface CredentialSource {
  /** Cheap: called before every request. @throws KubeconfigError when there were never usable credentials */
  current(): Promise<CredentialGeneration>;
  /** The server refused this generation (401): look again before the next `current()` is answered. */
  invalidate?(generation: number, refusal?: ApiError): void;
}

export function staticCredentials(credentials: Credentials): CredentialSource {
  const current: CredentialGeneration = { generation: 1, credentials };
  return { current: () => Promise.resolve(current) };
}

export interface RefreshedCredentialsOptions {
  /** Reads them anew, all of them from one state of the files */
  readonly read: () => Promise<Credentials>;
  /** Default: 10 s, so that a rotated token or certificate is used soon after. Infinity: when the server refuses them */
  readonly refreshMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Reads again from time to time. While that fails (files are being replaced), the last good credentials are used. */
export function refreshedCredentials(options: RefreshedCredentialsOptions): CredentialSource {
  const { read, refreshMs = 10_000, clock = systemClock } = options;
  let latest: CredentialGeneration | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<CredentialGeneration> | undefined;

  const refresh = async (): Promise<CredentialGeneration> => {
    const before = latest;
    try {
      const credentials = await read();
      if (before !== undefined && sameCredentials(before.credentials, credentials)) return before;
      latest = { generation: (before?.generation ?? 0) + 1, credentials };
      return latest;
    } catch (error) {
      if (before === undefined) throw error;
      return before;
    } finally {
      readAt = clock.now();
      reading = undefined;
    }
  };

  return {
    async current() {
      const age = clock.now() - readAt;
      if (latest !== undefined && age >= 0 && age < refreshMs) return latest;
      reading ??= refresh();
      return await reading;
    },
    invalidate(generation) {
      if (generation === latest?.generation) readAt = Number.NEGATIVE_INFINITY;
    },
  };
}

export const sameCredentials = (a: Credentials, b: Credentials): boolean =>
  a.token === b.token &&
  a.clientCert === b.clientCert &&
  a.clientKey === b.clientKey &&
  a.basic?.username === b.basic?.username &&
  a.basic?.password === b.basic?.password;
