import { nearest } from './suggest.ts';

/** Regions of Huawei Cloud whose services have addresses below myhuaweicloud.com. There may be newer ones. */
const regions = `
  af-north-1 af-south-1 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4
  cn-east-2 cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-2 cn-north-4 cn-north-9 cn-north-11 cn-north-12
  cn-south-1 cn-south-2 cn-south-4 cn-southwest-2 cn-southwest-3
  la-north-2 la-south-2 me-east-1 my-kualalumpur-1 na-mexico-1 sa-brazil-1 tr-west-1
`
  .trim()
  .split(/\s+/);

/** Why a region is probably none; undefined: it is known. */
export function regionProblem(region: string): string | undefined {
  if (regions.includes(region)) return undefined;
  const meant = nearest(region, regions);
  const hint = meant === undefined ? '.' : `; did you mean "${meant}"?`;
  return `"${region}" is not a known region of Huawei Cloud${hint} If it exists, set endpoint and iamEndpoint`;
}
