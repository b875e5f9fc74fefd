import { at, listAt, textAt } from '../json.ts';

/** What POST /v3/auth/tokens asks for. */
export type TokenRequest =
  | {
      readonly method: 'password';
      readonly domain: string;
      readonly user: string;
      readonly password: string;
      readonly scope: Scope;
    }
  | { readonly method: 'assume_role'; readonly domain: string; readonly agency: string; readonly scope: Scope };

/** By id or by name; what is missing does not matter. */
export interface Scope {
  readonly id?: string;
  readonly name?: string;
}

/** Undefined for a body that is no such request. Domains and users may be given by id or by name. */
export function readTokenRequest(body: unknown): TokenRequest | undefined {
  const identity = at(body, 'auth', 'identity');
  const [method] = listAt(identity, 'methods');
  const scope = scopeOf(at(body, 'auth', 'scope', 'project'));
  if (method === 'password') {
    const user = at(identity, 'password', 'user');
    const domain = nameOrId(at(user, 'domain'));
    const name = nameOrId(user);
    const password = textAt(user, 'password');
    if (domain === undefined || name === undefined || password === undefined) return undefined;
    return { method, domain, user: name, password, scope };
  }
  if (method === 'assume_role') {
    const role = at(identity, 'assume_role');
    const domain = textAt(role, 'domain_name') ?? textAt(role, 'domain_id');
    const agency = textAt(role, 'agency_name') ?? textAt(role, 'xrole_name');
    if (domain === undefined || agency === undefined) return undefined;
    return { method, domain, agency, scope };
  }
  return undefined;
}

function scopeOf(project: unknown): Scope {
  const [id, name] = [textAt(project, 'id'), textAt(project, 'name')];
  return { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
}

function nameOrId(value: unknown): string | undefined {
  return textAt(value, 'name') ?? textAt(value, 'id');
}
