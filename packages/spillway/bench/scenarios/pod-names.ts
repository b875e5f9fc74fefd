/** Names that no pod of this run had before: KWOK deletes by name, also a pod that came after the one that it saw. */
export class PodNames {
  #bursts = 0;

  next(count: number): readonly string[] {
    this.#bursts += 1;
    return Array.from({ length: count }, (_, index) => `burst-${this.#bursts}-${index}`);
  }
}
