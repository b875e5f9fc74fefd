import { BackendError } from '../../backend.ts';
import type { AccessKey } from '../signing.ts';

/** Who Spillway is for Huawei Cloud. */
export type Login = KeyLogin | PasswordLogin | AgencyLogin;

export interface KeyLogin extends AccessKey {
  readonly kind: 'accessKey';
}

export interface PasswordLogin {
  readonly kind: 'password';
  /** The account that the user belongs to */
  readonly domainName: string;
  readonly userName: string;
  readonly password: string;
}

/** Another account has delegated rights on its resources to ours. */
export interface AgencyLogin {
  readonly kind: 'agency';
  readonly agencyName: string;
  /** The account that delegates */
  readonly agencyDomainName: string;
  /** Who takes the agency */
  readonly by: KeyLogin | PasswordLogin;
}

const fieldNames = [
  'accessKey',
  'secretKey',
  'securityToken',
  'domainName',
  'userName',
  'password',
  'agencyName',
  'agencyDomainName',
] as const;

type LoginField = (typeof fieldNames)[number];

export type LoginFields = Readonly<Partial<Record<LoginField, string>>>;

/** As in the vendor's SDKs and tools. */
export const environmentNames: Readonly<Record<LoginField, string>> = {
  accessKey: 'HUAWEICLOUD_SDK_AK',
  secretKey: 'HUAWEICLOUD_SDK_SK',
  securityToken: 'HUAWEICLOUD_SDK_SECURITY_TOKEN',
  domainName: 'HUAWEICLOUD_SDK_DOMAIN_NAME',
  userName: 'HUAWEICLOUD_SDK_USER_NAME',
  password: 'HUAWEICLOUD_SDK_PASSWORD',
  agencyName: 'HUAWEICLOUD_SDK_AGENCY_NAME',
  agencyDomainName: 'HUAWEICLOUD_SDK_AGENCY_DOMAIN_NAME',
};

/** The fields of a login among other values. Empty ones count as missing, and the line end of a file does not belong to it. */
export function loginFields(values: Readonly<Record<string, unknown>>): LoginFields {
  const fields: Partial<Record<LoginField, string>> = {};
  for (const name of fieldNames) {
    const value = values[name];
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    if (text !== '') fields[name] = text;
  }
  return fields;
}

export function environmentFields(environment: Readonly<Record<string, string | undefined>>): LoginFields {
  return loginFields(Object.fromEntries(fieldNames.map((name) => [name, environment[environmentNames[name]]])));
}

/**
 * @param from where the fields come from, for messages: a file, or the environment
 * @throws BackendError "unauthorized" that names what is missing, and no value
 */
export function loginOf(fields: LoginFields, from: string): Login {
  const base = keyLogin(fields, from) ?? passwordLogin(fields, from);
  if (base === undefined) {
    throw incomplete(`${from} has no credentials`, 'Add accessKey and secretKey, or domainName, userName and password');
  }
  const { agencyName, agencyDomainName } = fields;
  if (agencyName === undefined && agencyDomainName === undefined) return base;
  if (agencyName === undefined || agencyDomainName === undefined) {
    const missing = agencyName === undefined ? 'agencyName' : 'agencyDomainName';
    throw incomplete(`${from} has an agency without ${missing}`, `Add ${missing}`);
  }
  return { kind: 'agency', agencyName, agencyDomainName, by: base };
}

function keyLogin(fields: LoginFields, from: string): KeyLogin | undefined {
  const { accessKey, secretKey, securityToken } = fields;
  if (accessKey === undefined && secretKey === undefined) return undefined;
  if (accessKey === undefined || secretKey === undefined) {
    const missing = accessKey === undefined ? 'accessKey' : 'secretKey';
    throw incomplete(`${from} lacks ${missing}`, `Add ${missing}: the two belong together`);
  }
  if (fields.password !== undefined) {
    throw incomplete(`${from} has both an access key and a password`, 'Keep only one of them');
  }
  return { kind: 'accessKey', accessKey, secretKey, ...(securityToken !== undefined && { securityToken }) };
}

function passwordLogin({ domainName, userName, password }: LoginFields, from: string): PasswordLogin | undefined {
  if (userName === undefined && password === undefined && domainName === undefined) return undefined;
  const missing = Object.entries({ domainName, userName, password }).flatMap(([name, value]) =>
    value === undefined ? [name] : [],
  );
  if (domainName === undefined || userName === undefined || password === undefined) {
    throw incomplete(`${from} lacks ${missing.join(' and ')}`, `Add ${missing.join(' and ')}`);
  }
  return { kind: 'password', domainName, userName, password };
}

function incomplete(what: string, remedy: string): BackendError {
  return new BackendError('unauthorized', `credentials for CCI: ${what}`, { remedy });
}

/** For messages and logs: enough to recognise it, nothing to use it. */
export function describeLogin(login: Login): string {
  switch (login.kind) {
    case 'accessKey':
      return `access key …${login.accessKey.slice(-4)}${login.securityToken === undefined ? '' : ' (temporary)'}`;
    case 'password':
      return `IAM user ${login.userName} of ${login.domainName}`;
    default:
      return `agency ${login.agencyName} of ${login.agencyDomainName}, taken by ${describeLogin(login.by)}`;
  }
}

export const sameLogin = (a: Login, b: Login): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What others answer may repeat what we sent. */
export function withoutSecrets(text: string, login: Login): string {
  const base = login.kind === 'agency' ? login.by : login;
  const secrets = base.kind === 'password' ? [base.password] : [base.secretKey, base.securityToken];
  return secrets.reduce<string>((rest, secret) => (secret ? rest.replaceAll(secret, '***') : rest), text);
}
