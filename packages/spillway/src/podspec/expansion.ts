/**
 * `$(VAR)` references as the kubelet expands them: `$(NAME)` becomes the variable's value when there is one and stays as it
 * is otherwise, `$$` is an escaped `$`, values are not expanded again. Source: third_party/forked/golang/expansion of Kubernetes.
 */
export function expand(input: string, lookup: (name: string) => string | undefined): string {
  return expandParts(input, (name) => {
    const value = lookup(name);
    return value === undefined ? undefined : [value];
  }).join('');
}

/** The same for values that consist of parts, some of which are not text yet. Neighbouring texts are joined. */
export function expandParts<Part>(
  input: string,
  lookup: (name: string) => readonly (string | Part)[] | undefined,
): (string | Part)[] {
  const out: (string | Part)[] = [];
  let literal = 0;
  let at = input.indexOf('$');
  while (at !== -1 && at + 1 < input.length) {
    append(out, input.slice(literal, at));
    const next = input[at + 1];
    const close = next === '(' ? input.indexOf(')', at + 2) : -1;
    if (close !== -1) {
      const reference = input.slice(at, close + 1);
      for (const part of lookup(reference.slice(2, -1)) ?? [reference]) append(out, part);
      literal = close + 1;
    } else if (next === '$') {
      append(out, '$');
      literal = at + 2;
    } else {
      // Not a reference, or one without its end: the operator and what follows stand for themselves.
      const follower = String.fromCodePoint(input.codePointAt(at + 1) ?? 0);
      append(out, `$${follower}`);
      literal = at + 1 + follower.length;
    }
    at = input.indexOf('$', literal);
  }
  append(out, input.slice(literal));
  return out;
}

function append<Part>(out: (string | Part)[], part: string | Part): void {
  const last = out.length - 1;
  if (typeof part === 'string' && typeof out[last] === 'string') out[last] += part;
  else if (part !== '') out.push(part);
}
