/** One generation of credentials: what is presented on one set of connections. */
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
  /** Cheap: called before every request. */
  current(): Promise<CredentialGeneration>;
  /** The server refused this generation (401): look again before the next `current()`. */
  invalidate?(generation: number): void;
}
