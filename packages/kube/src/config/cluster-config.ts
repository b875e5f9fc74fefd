import type { CredentialSource } from './credentials.ts';

/** How to reach one API server and who to be there. */
export interface ClusterConfig {
  /** "https://10.0.0.1:6443", without a trailing slash; a path is kept */
  server: string;
  /** PEM; without it the system's authorities are trusted */
  ca?: string;
  insecureSkipTlsVerify: boolean;
  /** The name to expect in the server's certificate, when it is not the one in `server` */
  tlsServerName?: string;
  /** The namespace of the context; "default" when it names none */
  namespace: string;
  credentials: CredentialSource;
  impersonate?: Impersonation;
  /**
   * Headers that each attempt gets in addition, for servers whose requests are signed, or that take other headers than
   * Kubernetes' for a token. Asked after `credentials.current()` and right before the attempt leaves.
   */
  sign?: SignRequest;
  /** For messages: which file and context this comes from */
  source: string;
}

/** Act as somebody else; the credentials need the right to `impersonate`. */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export type SignRequest = (request: OutgoingRequest) => SignatureHeaders | Promise<SignatureHeaders>;

/** One attempt as it goes over the wire. */
export interface OutgoingRequest {
  readonly method: string;
  /** With the query, as sent */
  readonly path: string;
  /** Names in lower case, `host` among them */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

export type SignatureHeaders = Readonly<Record<string, string>>;
