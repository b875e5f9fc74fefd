import type { Impersonation } from '../config/cluster-config.ts';
import type { Credentials } from '../config/credentials.ts';

/** Flat list of names and values, as undici takes it. */
export function authenticationHeaders(credentials: Credentials, impersonate: Impersonation | undefined): string[] {
  const headers: string[] = [];
  if (credentials.token !== undefined) {
    headers.push('authorization', `Bearer ${credentials.token}`);
  } else if (credentials.basic !== undefined) {
    const { username, password } = credentials.basic;
    headers.push('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  }
  if (impersonate === undefined) return headers;
  headers.push('impersonate-user', impersonate.user);
  if (impersonate.uid !== undefined) headers.push('impersonate-uid', impersonate.uid);
  for (const group of impersonate.groups ?? []) headers.push('impersonate-group', group);
  for (const [key, values] of Object.entries(impersonate.extra ?? {})) {
    for (const value of values) headers.push(`impersonate-extra-${escapeHeaderName(key)}`, value);
  }
  return headers;
}

/** Keys may hold characters that header names may not ("example.com/scope"); the API server decodes percent signs. */
const escapeHeaderName = (key: string): string =>
  key.replaceAll(/[^A-Za-z0-9!#$&'*+.^_`|~-]/g, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
  );
