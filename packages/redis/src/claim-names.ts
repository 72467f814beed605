/** Takes apart a field of the claims or owners hash: the constraint has no colon, what follows it may. */
export function parseClaimName(name: string): { readonly constraint: string; readonly rest: string } {
  const colon = name.indexOf(':')
  return { constraint: name.slice(0, colon), rest: name.slice(colon + 1) }
}
