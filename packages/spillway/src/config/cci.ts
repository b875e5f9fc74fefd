import { z } from 'zod';
import { type ImageReplacement, replacementProblems } from '../podspec/image-replacement.ts';
import { absolutePath } from './values.ts';

export interface CciBackendConfig {
  readonly type: 'cci';
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly iamEndpoint?: string | undefined;
  readonly ca?: string | undefined;
  readonly projectId: string;
  readonly projectName?: string | undefined;
  readonly domainId: string;
  readonly vpcId: string;
  readonly networkId: string;
  readonly subnetId: string;
  readonly securityGroupId: string;
  readonly availableZone: string;
  readonly cidr?: string | undefined;
  readonly namespaceName?: string | undefined;
  readonly credentials: { readonly file?: string | undefined };
  readonly apiVersion: 'v1' | 'v2';
  readonly soldOutAfterSeconds: number;
  readonly volumeRefresh: boolean;
  readonly rateLimits: {
    readonly podsPerSecond: number;
    readonly podBurst: number;
    readonly callsPerSecond: number;
    readonly callBurst: number;
  };
  readonly imageReplacements: readonly ImageReplacement[];
}

const region = z.string().regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, { error: 'must be a region such as cn-north-4' });
const id = z.string().min(1).max(64);
const httpsUrl = z
  .string()
  .regex(/^https:\/\/[^/?#@\s]+$/, { error: 'must be https://HOST or https://HOST:PORT without a path' });

const imageReplacements = z
  .array(
    z.strictObject({
      repositoryPrefix: z.string().describe('Everything before the last "/" of an image. Empty: images without a "/".'),
      replaceWith: z.string().describe('What replaces it, for example swr.cn-north-4.myhuaweicloud.com/org.'),
    }),
  )
  .superRefine((rules, context) => {
    for (const { index, field, message } of replacementProblems(rules)) {
      context.addIssue({ code: 'custom', path: [index, field], message });
    }
  })
  .default([])
  .describe('Registries that CCI cannot reach, and where their images are in SWR.');

const rate = z.number().min(0.1).max(10_000);
const burst = z.int().min(1).max(100_000);

const rateLimits = z
  .strictObject({
    podsPerSecond: rate.default(20).describe('Pods created per second.'),
    podBurst: burst.default(100).describe('Pods created at once after a pause.'),
    callsPerSecond: rate.default(100).describe('Calls per second in total; a pod takes about five.'),
    callBurst: burst.default(500).describe('Calls made at once after a pause.'),
  })
  .prefault({})
  .describe(
    'Limits of the calls to CCI. If CCI still answers that there are too many, the pool slows down automatically.',
  );

export const cciSchema: z.ZodType<CciBackendConfig> & z.core.$ZodTypeDiscriminable = z
  .strictObject({
    type: z.literal('cci').describe('Pods in Huawei Cloud Container Instance.'),
    region: region.describe('Region, for example cn-north-4.'),
    endpoint: httpsUrl.optional().describe('Address of CCI. Default: https://cci.REGION.myhuaweicloud.com.'),
    iamEndpoint: httpsUrl.optional().describe('Address of IAM. Default: https://iam.REGION.myhuaweicloud.com.'),
    ca: absolutePath
      .optional()
      .describe('File with the certificate authority of both, PEM. Default: those that the system trusts.'),
    projectId: id.describe('ID of the project, from "My Credentials" in the console.'),
    projectName: z.string().min(1).optional().describe('Name of the project, for SWR. Default: the region.'),
    domainId: id.describe('ID of the account, from "My Credentials" in the console.'),
    vpcId: id.describe('VPC of the cluster.'),
    networkId: id.describe('Network ID of the subnet for the pods.'),
    subnetId: id.describe('IPv4 subnet ID (the Neutron ID) of the subnet for the pods; not the network ID.'),
    securityGroupId: id.describe('Security group of the pods. It must allow them to reach the DNS of the cluster.'),
    availableZone: id.describe('Availability zone, for example cn-north-4a.'),
    cidr: z
      .string()
      .regex(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, { error: 'must be an IPv4 network such as 192.168.0.0/24' })
      .optional()
      .describe('Address range of the subnet, if the region requires it.'),
    namespaceName: z
      .string()
      .max(63)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { error: 'must consist of lower-case letters, digits and "-"' })
      .optional()
      .describe(
        'CCI namespace for the pods. All accounts share one set of names. Default: cce-burst-CLUSTERID (v2: bursting-CLUSTERID).',
      ),
    credentials: z
      .strictObject({
        file: absolutePath
          .optional()
          .describe(
            'YAML or JSON file, or folder of a mounted Secret, with accessKey and secretKey (and securityToken), or domainName, userName and password; with agencyName and agencyDomainName to assume an agency. It is read again when it changes. Default: the environment, HUAWEICLOUD_SDK_AK and so on.',
          ),
      })
      .prefault({})
      .describe('Credentials of Spillway for CCI. Do not write secrets into this file.'),
    apiVersion: z.enum(['v1', 'v2']).default('v1').describe('Generation of the API: v1 is CCI 1.0, v2 is CCI 2.0.'),
    soldOutAfterSeconds: z
      .number()
      .min(1)
      .max(3600)
      .default(20)
      .describe(
        'A pod that CCI has not placed after this time is withdrawn, and the pool counts as sold out. It is tried again.',
      ),
    volumeRefresh: z
      .boolean()
      .default(false)
      .describe(
        'Whether CCI brings changes of ConfigMaps and Secrets into running pods. Older regions do not. If it does not, service account tokens are valid for a day.',
      ),
    rateLimits,
    imageReplacements,
  })
  .describe('Runs pods in Huawei Cloud Container Instance.');
