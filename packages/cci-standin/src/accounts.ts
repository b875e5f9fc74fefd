import { randomBytes } from 'node:crypto';

/** A customer: a domain of IAM with one project in this region. */
export interface Account {
  readonly domain: Named;
  readonly project: Named;
  readonly users: readonly User[];
  /** By whom this account lets itself be represented. */
  readonly agencies: readonly Agency[];
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface User extends Named {
  readonly password: string;
  readonly accessKeys: readonly AccessKey[];
}

export interface AccessKey {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Temporary keys are only good together with it. */
  readonly securityToken?: string;
  /** Milliseconds since the epoch; temporary keys have it. */
  readonly expiresAt?: number;
}

export interface Agency {
  readonly name: string;
  /** Name of the domain whose users may take it on. */
  readonly trustedDomain: string;
}

/** Name of whoever has taken on an agency. */
export function agencyUserName({ name, trustedDomain }: Agency): string {
  return `${trustedDomain}/${name}`;
}

/** Who a request comes from. */
export interface Identity {
  readonly domain: Named;
  readonly project: Named;
  readonly user: Named;
  /** Milliseconds since the epoch: streams end then. */
  readonly expiresAt?: number;
}

/** A customer with one user and one permanent key, all of it random. */
export function randomAccount(region: string): Account {
  const id = randomBytes(4).toString('hex');
  return {
    domain: { id: randomId(), name: `domain-${id}` },
    project: { id: randomId(), name: region },
    users: [{ id: randomId(), name: `user-${id}`, password: randomSecret(), accessKeys: [randomAccessKey()] }],
    agencies: [],
  };
}

export function randomAccessKey(): AccessKey {
  return {
    accessKey: `STANDIN${randomBytes(7).toString('hex').toUpperCase().slice(0, 13)}`,
    secretKey: randomSecret(),
  };
}

export function randomSecret(): string {
  return randomBytes(30).toString('base64url');
}

/** As IAM writes ids: 32 hexadecimal digits. */
function randomId(): string {
  return randomBytes(16).toString('hex');
}
