import type { NodeForm } from './configuration.ts';

/** What runs the region's pods. */
export interface RegionNode {
  readonly form: NodeForm;
  readonly name: string;
  readonly podCidr: string;
  /** Of a simulated node: the file in which it keeps what would run */
  readonly instancesFile: string | undefined;
  /** Path of the file with the output of its program */
  readonly log: string;
  /** Of its program; undefined while it does not run */
  pid(): Promise<number | undefined>;
  /** Whether it looks after its pods */
  isReady(): Promise<boolean>;
}
