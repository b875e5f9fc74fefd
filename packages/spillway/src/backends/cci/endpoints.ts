export interface Endpoints {
  readonly cci: string;
  readonly iam: string;
}

export function endpointsOf({
  region,
  endpoint = `https://cci.${region}.myhuaweicloud.com`,
  iamEndpoint = `https://iam.${region}.myhuaweicloud.com`,
}: {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly iamEndpoint?: string | undefined;
}): Endpoints {
  return { cci: endpoint, iam: iamEndpoint };
}
