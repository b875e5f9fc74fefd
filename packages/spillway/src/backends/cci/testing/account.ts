import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FakeService } from './fake-service.ts';

/** Where an account of tests has its pods. */
export const place = {
  domainId: 'd1',
  projectId: 'p1',
  vpcId: 'v1',
  networkId: 'n1',
  subnetId: 's1',
  securityGroupId: 'g1',
  availableZone: 'z1',
} as const;

/**
 * What a pool says of an account of this service, which is the whole region and its IAM. The service and the files go with the
 * test.
 *
 * @param login content of the credentials file
 */
export async function accountOf(
  service: FakeService,
  login: string,
): Promise<
  typeof place & {
    readonly region: string;
    readonly endpoint: string;
    readonly iamEndpoint: string;
    readonly ca: string;
    readonly credentials: { readonly file: string };
    readonly apiVersion: 'v1';
  }
> {
  const folder = await mkdtemp(join(tmpdir(), 'cci-'));
  onTestFinished(async () => {
    service.close();
    await rm(folder, { recursive: true });
  });
  const [ca, file] = [join(folder, 'ca.pem'), join(folder, 'login.yaml')];
  await writeFile(ca, service.ca);
  await writeFile(file, login);
  const endpoints = { endpoint: service.url, iamEndpoint: service.url };
  return { ...place, ...endpoints, region: 'r1', ca, credentials: { file }, apiVersion: 'v1' };
}
