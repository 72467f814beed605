/** What an example says that it prints: the comment lines after `// Prints:`. */
export function printedBy(source: string): string {
  const lines = source.split('\n')
  const start = lines.indexOf('// Prints:')
  if (start === -1) throw new Error('The example does not say what it prints')
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => !line.startsWith('// ') || line.startsWith('// #'))
  return rest
    .slice(0, end === -1 ? rest.length : end)
    .map((line) => `${line.slice(3)}\n`)
    .join('')
}
