import { createHmac } from 'node:crypto';
import { parseImage, type RegistryCredential } from '../../../podspec/images.ts';
import type { Notice } from '../../../podspec/notice.ts';
import type { AccessKey } from '../signing.ts';

/**
 * The login for SWR that stays valid as long as the access key: nothing has to be asked for. Temporary keys have none.
 * `project`: the name of the project, which is that of the region unless it is a project of its own.
 */
export function swrLogin(
  { accessKey, secretKey, securityToken }: AccessKey,
  { region, project = region }: { readonly region: string; readonly project?: string },
): RegistryCredential | undefined {
  if (securityToken !== undefined) return undefined;
  const password = createHmac('sha256', secretKey).update(accessKey).digest('hex');
  return { registry: `swr.${region}.myhuaweicloud.com`, username: `${project}@${accessKey}`, password };
}

const swrHost = /^swr\.[a-z0-9-]+\.myhuaweicloud\.com$/;

/** CCI pulls from SWR, and public images by their bare name. Everything else is tried, and people learn why it fails. */
export function registryNotice(image: string, region: string): Notice | undefined {
  const parsed = parseImage(image);
  if (!parsed.ok || !image.includes('/') || swrHost.test(parsed.reference.registry)) return undefined;
  const prefix = image.slice(0, image.lastIndexOf('/'));
  return {
    severity: 'Warning',
    reason: 'ThirdPartyRegistry',
    message: `CCI may be unable to reach ${parsed.reference.registry} for image "${image}". Copy the image to SWR and add to imageReplacements: {repositoryPrefix: ${prefix}, replaceWith: swr.${region}.myhuaweicloud.com/ORGANIZATION}`,
  };
}

const noWayToRegistry = /dial tcp \S+:443: i\/o timeout/;
const aboutPull = /\bpull|resolve reference/i;
const loginRefused =
  /\b401\b|\b403\b|unauthorized|authorization failed|authenticate error|may not login|have the permission|access denied/i;
const noSuchImage = /not found|manifest unknown|name unknown|does not exist/i;

/** What to do about a message of a failed pull, as far as it is known. */
export function pullRemedy(message: string, region: string): string | undefined {
  if (noWayToRegistry.test(message)) {
    return `The pod's subnet has no route to the registry: create VPC endpoints for SWR (com.myhuaweicloud.${region}.swr), its API (com.myhuaweicloud.${region}.swr-api) and OBS in the VPC`;
  }
  if (!aboutPull.test(message)) return undefined;
  if (loginRefused.test(message)) {
    return `The registry rejects the login: correct the pull Secret that the pod names (the next attempt uses it) or, for SWR, give Spillway an access key of a user who may read the organization`;
  }
  if (noSuchImage.test(message)) {
    return `The registry does not have this image: check its name and tag, and that it was copied to SWR if imageReplacements points there`;
  }
  return undefined;
}
