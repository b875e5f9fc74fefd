import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Region } from '@spillway/cci-standin';
import type { CciBackendConfig } from '../src/config/cci.ts';

/** What a pool's configuration says of a local region; keys go to a file in `dir`. */
export async function cciPool(
  region: Pick<Region, 'name' | 'endpoint' | 'iamEndpoint' | 'caFile' | 'accounts'>,
  dir: string,
  more: Partial<CciBackendConfig> = {},
): Promise<CciBackendConfig> {
  const [account] = region.accounts;
  const [key] = account?.users[0]?.accessKeys ?? [];
  if (account === undefined || key === undefined) throw new Error('the region has no account with an access key');
  const file = path.join(dir, 'cci-credentials.json');
  const { accessKey, secretKey, securityToken } = key;
  await writeFile(file, JSON.stringify({ accessKey, secretKey, securityToken }), { mode: 0o600 });
  return {
    type: 'cci',
    region: region.name,
    endpoint: region.endpoint,
    iamEndpoint: region.iamEndpoint,
    ca: region.caFile,
    projectId: account.project.id,
    projectName: account.project.name,
    domainId: account.domain.id,
    vpcId: 'vpc',
    networkId: 'network',
    subnetId: 'subnet',
    securityGroupId: 'security-group',
    availableZone: `${region.name}a`,
    cidr: '192.168.0.0/24',
    credentials: { file },
    apiVersion: 'v1',
    soldOutAfterSeconds: 20,
    volumeRefresh: false,
    rateLimits: { podsPerSecond: 20, podBurst: 100, callsPerSecond: 100, callBurst: 500 },
    imageReplacements: [],
    ...more,
  };
}
