/** One variable whose value may wait for facts that exist only once the instance has an address. */
export interface EnvVarTemplate {
  readonly name: string;
  /** Literal text and late facts, to be joined; almost always one literal. */
  readonly value: readonly EnvPart[];
}

export type EnvPart = string | { readonly late: 'status.podIP' | 'status.podIPs' | 'status.hostIP' | 'status.hostIPs' };
