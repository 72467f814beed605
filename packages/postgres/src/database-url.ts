/**
 * A database's URL whose connections begin with more settings, such as `-c search_path=leads`.
 *
 * @param more Further parameters of the URL.
 * @throws TypeError when it is none; without the URL itself, which may hold a password
 */
export function databaseUrl(
  url: string,
  settings: string,
  more: Readonly<Record<string, string>> = {},
): string {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new TypeError('The address of PostgreSQL is postgres://user:password@host:port/database')
  const scoped = new URL(url)
  const before = scoped.searchParams.get('options')
  scoped.searchParams.set('options', `${before === null ? '' : `${before} `}${settings}`)
  for (const [name, value] of Object.entries(more)) scoped.searchParams.set(name, value)
  // URLSearchParams writes a blank as +, which the driver does not read back.
  scoped.search = scoped.search.replaceAll('+', '%20')
  return scoped.href
}
