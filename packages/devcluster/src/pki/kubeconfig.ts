import type { KeyPair } from './authority.ts';

export interface KubeconfigInput {
  readonly name: string;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly credentials: KeyPair | { readonly token: string };
}

/** A kubeconfig that stands alone: certificates and keys are in it. */
export function renderKubeconfig({ name, server, ca, credentials }: KubeconfigInput): string {
  const user =
    'token' in credentials
      ? [`      token: ${JSON.stringify(credentials.token)}`]
      : [
          `      client-certificate-data: ${base64(credentials.cert)}`,
          `      client-key-data: ${base64(credentials.key)}`,
        ];
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `  - name: ${name}`,
    '    cluster:',
    `      server: ${server}`,
    `      certificate-authority-data: ${base64(ca)}`,
    'users:',
    `  - name: ${name}`,
    '    user:',
    ...user,
    'contexts:',
    `  - name: ${name}`,
    `    context: { cluster: ${name}, user: ${name} }`,
    `current-context: ${name}`,
    '',
  ].join('\n');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
