import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@spillway/kube';
import { randomAccessKey, type Identity, type Named } from '../accounts.ts';
import type { AccessKeys } from '../iam/access-keys.ts';

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface TemporaryLogin extends Login {
  /** Milliseconds since the epoch */
  readonly expiresAt: number;
}

/** "A temporary login command is valid for 6 hours." */
const temporaryMs = 6 * 3_600_000;

/** The password that belongs to a permanent access key. */
export function passwordOf({ accessKey, secretKey }: { accessKey: string; secretKey: string }): string {
  return createHmac('sha256', secretKey).update(accessKey).digest('hex');
}

/** Who may log in to the registry: whoever has a permanent access key, or a login that was issued less than six hours ago. */
export class Logins {
  readonly #accessKeys: Pick<AccessKeys, 'permanent'>;
  readonly #clock: Pick<Clock, 'now'>;
  /** By user name. */
  readonly #temporary = new Map<string, TemporaryLogin & { readonly project: Named }>();

  constructor(accessKeys: Pick<AccessKeys, 'permanent'>, clock: Pick<Clock, 'now'>) {
    this.#accessKeys = accessKeys;
    this.#clock = clock;
  }

  issue({ project }: Pick<Identity, 'project'>): TemporaryLogin {
    const login = {
      username: `${project.name}@${randomAccessKey().accessKey}`,
      password: randomBytes(32).toString('hex'),
      expiresAt: this.#clock.now() + temporaryMs,
    };
    this.#temporary.set(login.username, { ...login, project });
    return login;
  }

  /** The project that logs in; undefined: nobody. */
  projectOf({ username, password }: Login): Named | undefined {
    const temporary = this.#temporary.get(username);
    if (temporary !== undefined) {
      return temporary.expiresAt > this.#clock.now() && equal(temporary.password, password)
        ? temporary.project
        : undefined;
    }
    const [projectName, accessKey = ''] = username.split('@');
    const found = this.#accessKeys.permanent(accessKey);
    const isKey = found !== undefined && found.identity.project.name === projectName;
    return isKey && equal(passwordOf(found.key), password) ? found.identity.project : undefined;
  }
}

/** What an Authorization header of the scheme Basic says. */
export function readBasic(authorization: string | undefined): Login | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  const decoded = Buffer.from(encoded ?? '', 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

export function basic({ username, password }: Login): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function equal(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
