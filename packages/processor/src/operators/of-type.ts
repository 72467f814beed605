import { filter, type OperatorFunction } from 'rxjs'

/** Lets events of the named types through, and narrows their type. Others are done. */
export function ofType<E extends { readonly type: string }, const Name extends E['type']>(
  ...names: readonly [Name, ...Name[]]
): OperatorFunction<E, Extract<E, { readonly type: Name }>> {
  const [only] = names
  if (names.length === 1)
    return filter((event): event is Extract<E, { readonly type: Name }> => event.type === only)
  const set = new Set<string>(names)
  return filter((event): event is Extract<E, { readonly type: Name }> => set.has(event.type))
}
